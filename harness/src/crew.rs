//! Drivers side by side, for policies that answer one request at a time: a thread and an episode each.
//!
//! Every worker runs the same `drive()` as anybody else, over a queue that they share; what is finished comes back
//! to the caller's thread, in the order in which it ends.

use std::cell::RefCell;
use std::iter::Enumerate;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{sync_channel, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use vrrl_harness_core::{drive, Fault, Finished, Policy, PolicyInfo, Reply, Request, Settings, Start, View};

/// How often somebody who waits for slow replies looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);
/// A worker's thread draws pictures and sends them; its stack holds no pixels.
const STACK: usize = 512 * 1024;

/// Who works, and how.
pub(crate) struct Crew<'c> {
    /// One per thread.
    pub workers: Vec<Box<dyn Policy + Send>>,
    /// Settings of every episode.
    pub settings: Settings,
    /// Set from outside when nothing more is wanted.
    pub stop: &'c AtomicBool,
    /// Tells workers that wait to give up.
    pub halt: &'c dyn Fn(),
}

/// Runs every episode of `starts`; `prepare` works on a finished one in its worker's thread, `done` takes what it
/// made, with the start's index. What is open when `done` breaks off, or when `stop` is set, is dropped.
pub(crate) fn drive_crew<'e, T: Send>(
    crew: Crew<'_>,
    starts: impl Iterator<Item = Start<'e>> + Send,
    prepare: &(dyn Fn(usize, Finished<'e>) -> T + Sync),
    done: &mut dyn FnMut(usize, T) -> ControlFlow<()>,
) {
    let Crew { workers, settings, stop, halt } = crew;
    let (queue, halted) = (Mutex::new(starts.enumerate()), AtomicBool::new(false));
    let (sender, receiver) = sync_channel(workers.len());
    std::thread::scope(|scope| {
        for policy in workers {
            let work = Worker { policy, queue: &queue, halted: &halted, prepare };
            let sender = sender.clone();
            std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, move || work.run(settings, &sender))
                .expect("the system gives a thread to every worker; ask for fewer with --workers");
        }
        drop(sender);
        loop {
            let go_on = match receiver.recv_timeout(LOOK) {
                Ok((index, made)) => done(index, made).is_continue(),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if !go_on || stop.load(Ordering::SeqCst) {
                halted.store(true, Ordering::SeqCst);
                halt();
                break;
            }
        }
        // A worker that is about to hand something over must not wait for a reader that is gone.
        drop(receiver);
    });
}

/// One thread's share.
struct Worker<'w, I, P: ?Sized> {
    policy: Box<dyn Policy + Send>,
    queue: &'w Mutex<Enumerate<I>>,
    halted: &'w AtomicBool,
    prepare: &'w P,
}

impl<'e, I, T, P> Worker<'_, I, P>
where
    I: Iterator<Item = Start<'e>>,
    P: Fn(usize, Finished<'e>) -> T + ?Sized,
{
    fn run(self, settings: Settings, out: &SyncSender<(usize, T)>) {
        let Self { policy, queue, halted, prepare } = self;
        // This driver's numbers of episodes are its own; here stands which starts they are.
        let taken = RefCell::new(Vec::new());
        let starts = std::iter::from_fn(|| {
            if halted.load(Ordering::SeqCst) {
                return None;
            }
            let (index, start) = queue.lock().unwrap_or_else(PoisonError::into_inner).next()?;
            taken.borrow_mut().push(index);
            Some(start)
        });
        drive(&mut Halting { policy, halted }, settings, starts, &mut |own, finished| {
            let index = taken.borrow()[own];
            if halted.load(Ordering::SeqCst) || out.send((index, prepare(index, finished))).is_err() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
    }
}

/// A policy that is asked nothing more once everybody is to stop; the fault goes nowhere.
struct Halting<'h> {
    policy: Box<dyn Policy + Send>,
    halted: &'h AtomicBool,
}

impl Policy for Halting<'_> {
    fn info(&self) -> PolicyInfo {
        self.policy.info()
    }
    fn view(&self) -> View {
        self.policy.view()
    }
    fn slots(&self) -> usize {
        self.policy.slots()
    }
    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        if self.halted.load(Ordering::SeqCst) {
            let fault = Fault { kind: "halted".into(), detail: "the run was stopped".into() };
            return requests.iter().map(|_| Err(fault.clone())).collect();
        }
        self.policy.respond(requests)
    }
    fn wants_pixels(&self) -> bool {
        self.policy.wants_pixels()
    }
    fn release(&mut self, episode: u64) {
        self.policy.release(episode);
    }
}
