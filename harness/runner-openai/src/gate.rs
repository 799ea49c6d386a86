//! How many requests are under way at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where the number begins.
const FIRST: usize = 4;
/// What is added where doubling is over.
const STEP: usize = 4;
/// A gain in replies a second that counts as one.
const GAIN: f64 = 1.05;
/// Rounds without a gain before the number goes back.
const PATIENCE: u32 = 3;
/// Rounds before more is tried again.
const REST: u32 = 32;
/// The same after a refusal.
const REST_AFTER_REFUSAL: u32 = 4;

/// How many at once, found by trying: the number grows as long as more at once bring more replies a second, that
/// is, as long as latency does not grow in step with it, and halves when the server refuses (429, 503).
///
/// A round is as many replies as may be under way. By Little's law their number over their mean latency is the rate
/// of replies. The number doubles until a first round without a gain and grows by 4 from then on; after three rounds
/// without a gain it goes back to the best one and rests.
#[derive(Clone, PartialEq, Debug)]
pub struct Pace {
    limit: usize,
    most: usize,
    epoch: u64,
    seconds: f64,
    replies: usize,
    best: Option<(f64, usize)>,
    without: u32,
    rest: u32,
    doubling: bool,
}

impl Pace {
    /// Begins small and never passes `most`.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            limit: FIRST.min(most.max(1)),
            most: most.max(1),
            epoch: 0,
            seconds: 0.0,
            replies: 0,
            best: None,
            without: 0,
            rest: 0,
            doubling: true,
        }
    }

    /// How many may be under way.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Which number a request was begun under; its end counts only under the same.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A reply came after `seconds`.
    pub fn replied(&mut self, epoch: u64, seconds: f64) {
        if epoch != self.epoch {
            return;
        }
        self.seconds += seconds.max(1e-6);
        self.replies += 1;
        if self.replies < self.limit.max(2 * FIRST) {
            return;
        }
        let rate = self.limit as f64 * self.replies as f64 / self.seconds;
        (self.seconds, self.replies) = (0.0, 0);
        if self.rest > 0 {
            self.rest -= 1;
            if self.rest == 0 {
                // The server may have more to give by now.
                self.best = Some((rate, self.limit));
                self.go_to(self.limit + STEP);
            }
        } else if self.best.is_none_or(|(best, _)| rate > best * GAIN) {
            self.best = Some((rate, self.limit));
            self.without = 0;
            self.go_to(if self.doubling { 2 * self.limit } else { self.limit + STEP });
        } else {
            self.without += 1;
            if self.without >= PATIENCE {
                (self.without, self.rest, self.doubling) = (0, REST, false);
                self.go_to(self.best.map_or(self.limit, |(_, limit)| limit));
            }
        }
    }

    /// The server refused a request for there being too many.
    pub fn refused(&mut self, epoch: u64) {
        // Those that were under way together count once.
        if epoch == self.epoch {
            (self.without, self.rest, self.doubling) = (0, REST_AFTER_REFUSAL, false);
            self.best = None;
            self.epoch += 1;
            self.go_to(self.limit / 2);
        }
    }

    fn go_to(&mut self, limit: usize) {
        let limit = limit.clamp(1, self.most);
        if limit != self.limit {
            self.limit = limit;
            self.epoch += 1;
            (self.seconds, self.replies) = (0.0, 0);
        }
    }
}

/// Lets as many through as the pace says; episodes that have begun go first, so that few are open at a time and a
/// server's prompt cache keeps them. Also what workers wait at before they ask again.
pub(crate) struct Gate {
    state: Mutex<State>,
    begun: Condvar,
    fresh: Condvar,
    halted: Condvar,
}

struct State {
    /// None: everybody may pass; there are only as many workers as were asked for.
    pace: Option<Pace>,
    under_way: usize,
    waiting: usize,
    halted: bool,
}

/// A request under way.
pub(crate) struct Pass {
    epoch: u64,
    begun: Instant,
}

/// What a [`Pass`] ended with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Replied,
    Refused,
    Other,
}

impl Gate {
    pub(crate) fn new(pace: Option<Pace>) -> Self {
        let state = State { pace, under_way: 0, waiting: 0, halted: false };
        let [begun, fresh, halted] = std::array::from_fn(|_| Condvar::new());
        Self { state: Mutex::new(state), begun, fresh, halted }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place; `None` once nothing more is wanted.
    pub(crate) fn enter(&self, begun: bool) -> Option<Pass> {
        let mut state = self.lock();
        if begun {
            state.waiting += 1;
            while !state.halted && state.full() {
                state = self.begun.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.waiting -= 1;
        } else {
            while !state.halted && (state.full() || state.waiting > 0) {
                state = self.fresh.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        if state.halted {
            return None;
        }
        state.under_way += 1;
        self.wake(&state);
        Some(Pass { epoch: state.pace.as_ref().map_or(0, Pace::epoch), begun: Instant::now() })
    }

    pub(crate) fn leave(&self, pass: &Pass, outcome: Outcome) {
        let mut state = self.lock();
        state.under_way -= 1;
        if let Some(pace) = &mut state.pace {
            match outcome {
                Outcome::Replied => pace.replied(pass.epoch, pass.begun.elapsed().as_secs_f64()),
                Outcome::Refused => pace.refused(pass.epoch),
                Outcome::Other => {}
            }
        }
        self.wake(&state);
    }

    /// One who may pass now; each who passes wakes the next.
    fn wake(&self, state: &State) {
        if !state.full() {
            if state.waiting > 0 { &self.begun } else { &self.fresh }.notify_one();
        }
    }

    /// Sleeps; false if nothing more is wanted.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let state = self.lock();
        let waited = self.halted.wait_timeout_while(state, time, |state| !state.halted);
        !waited.unwrap_or_else(PoisonError::into_inner).0.halted
    }

    pub(crate) fn halt(&self) {
        self.lock().halted = true;
        [&self.begun, &self.fresh, &self.halted].iter().for_each(|all| all.notify_all());
    }

    /// A new run begins with the same policy.
    pub(crate) fn reopen(&self) {
        self.lock().halted = false;
    }
}

impl State {
    fn full(&self) -> bool {
        self.pace.as_ref().is_some_and(|pace| self.under_way >= pace.limit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that works on `places` at once, a reply a second each; more wait.
    fn settle(places: usize, most: usize, replies: usize) -> Vec<usize> {
        let mut pace = Pace::new(most);
        let mut seen = Vec::new();
        for i in 0..replies {
            let busy = pace.limit() as f64 / places as f64;
            let noise = 1.0 + 0.02 * (i as f64 * 0.7).sin();
            pace.replied(pace.epoch(), busy.max(1.0) * noise);
            seen.push(pace.limit());
        }
        seen
    }

    #[test]
    fn the_number_grows_until_latency_says_stop() {
        for places in [1, 3, 10, 50, 200] {
            let seen = settle(places, 256, 40_000);
            let late = &seen[seen.len() / 2..];
            let (low, high) = (*late.iter().min().unwrap(), *late.iter().max().unwrap());
            assert!(low >= places.min(4) && low * 20 >= places * 19, "{places}: {low}");
            assert!(high <= (2 * places).max(8) + 2 * STEP, "{places}: {high}");
        }
        assert_eq!(settle(10_000, 256, 5_000).pop(), Some(256), "never past the most");
        assert_eq!(settle(10_000, 2, 500).pop(), Some(2));
    }

    #[test]
    fn refusals_halve_once_for_all_that_were_under_way() {
        let mut pace = Pace::new(64);
        while pace.limit() < 64 {
            pace.replied(pace.epoch(), 1.0);
        }
        let epoch = pace.epoch();
        (0..30).for_each(|_| pace.refused(epoch));
        assert_eq!(pace.limit(), 32);
        pace.replied(epoch, 100.0);
        (0..10).for_each(|_| pace.refused(pace.epoch()));
        assert_eq!(pace.limit(), 1);
        (0..200).for_each(|_| pace.replied(pace.epoch(), 1.0));
        assert!(pace.limit() > 4, "and grows again");
    }

    #[test]
    fn nobody_is_forgotten_at_the_gate() {
        let gate = Gate::new(Some(Pace::new(3)));
        let passed = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for worker in 0..40 {
                let (gate, passed) = (&gate, &passed);
                scope.spawn(move || {
                    for turn in 0..50 {
                        let pass = gate.enter(turn > 0).unwrap();
                        assert!(gate.lock().under_way <= 3);
                        passed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        let all = [Outcome::Replied, Outcome::Other, Outcome::Refused];
                        gate.leave(&pass, all[if worker % 7 == 0 { turn % 3 } else { 0 }]);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 2000);
        let gate = Gate::new(Some(Pace::new(1)));
        let pass = gate.enter(false).unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| gate.enter(true).is_none());
            let sleeps = scope.spawn(|| gate.sleep(Duration::from_secs(60)));
            gate.halt();
            assert!(waits.join().unwrap() && !sleeps.join().unwrap());
        });
        gate.leave(&pass, Outcome::Other);
    }
}
