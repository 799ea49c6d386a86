//! Runs a graph of jobs, the most urgent first, on a few threads.

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::{Condvar, Mutex};

/// One job: which others it waits for (by index, all smaller than its own), and how long it may take.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    pub needs: Vec<usize>,
    /// Seconds.
    pub estimate: f64,
}

/// Seconds from the start of each job to the end of everything that waits for it.
fn urgencies(nodes: &[Node]) -> Vec<f64> {
    let mut urgency: Vec<f64> = nodes.iter().map(|n| n.estimate).collect();
    for (i, node) in nodes.iter().enumerate().rev() {
        for &need in &node.needs {
            urgency[need] = urgency[need].max(nodes[need].estimate + urgency[i]);
        }
    }
    urgency
}

/// The waiting job that is ready and most urgent.
fn pick(nodes: &[Node], urgency: &[f64], started: &[bool], done: &[bool]) -> Option<usize> {
    let ready = |i: &usize| !started[*i] && nodes[*i].needs.iter().all(|&n| done[n]);
    (0..nodes.len()).filter(ready).min_by(|&a, &b| urgency[b].total_cmp(&urgency[a]).then(a.cmp(&b)))
}

/// How many waiting jobs could start.
fn ready(nodes: &[Node], started: &[bool], done: &[bool]) -> usize {
    (0..nodes.len()).filter(|&i| !started[i] && nodes[i].needs.iter().all(|&n| done[n])).count()
}

/// Seconds that the whole graph takes if every estimate holds.
pub(crate) fn makespan(nodes: &[Node], jobs: usize) -> f64 {
    let urgency = urgencies(nodes);
    let (mut started, mut done) = (vec![false; nodes.len()], vec![false; nodes.len()]);
    let mut now = 0.0;
    let mut running: Vec<(f64, usize)> = Vec::new();
    loop {
        while running.len() < jobs.max(1) {
            let Some(i) = pick(nodes, &urgency, &started, &done) else { break };
            started[i] = true;
            running.push((now + nodes[i].estimate, i));
        }
        let Some(next) = (0..running.len()).min_by(|&a, &b| running[a].0.total_cmp(&running[b].0)) else {
            return now;
        };
        let (end, i) = running.remove(next);
        now = end;
        done[i] = true;
    }
}

struct State<E> {
    started: Vec<bool>,
    done: Vec<bool>,
    running: usize,
    errors: Vec<(usize, E)>,
    panic: Option<Box<dyn std::any::Any + Send>>,
}

/// How a graph is gone through.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    /// Most jobs at a time.
    pub jobs: usize,
    /// After an error, whether what does not need the failed job is still done.
    pub keep_going: bool,
    /// Jobs that are never started, nor what needs them; empty for none.
    pub left_out: &'a [bool],
}

/// Runs every job on up to `how.jobs` threads; unless told to keep going, nothing more is started after an error.
/// `work` gets a job's index, and how many jobs can be under way beside each other at its start, itself included.
/// Returns the errors by index.
pub(crate) fn run<E: Send>(
    nodes: &[Node],
    how: How<'_>,
    work: &(dyn Fn(usize, usize) -> Result<(), E> + Sync),
) -> Vec<(usize, E)> {
    let urgency = urgencies(nodes);
    let jobs = how.jobs.max(1);
    let done = vec![false; nodes.len()];
    let started = if how.left_out.is_empty() { done.clone() } else { how.left_out.to_vec() };
    let state = Mutex::new(State { started, done, running: 0, errors: Vec::new(), panic: None });
    let changed = Condvar::new();
    let lock = || state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(nodes.len()) {
            scope.spawn(|| {
                let mut guard = lock();
                loop {
                    let goes_on = guard.errors.is_empty() || how.keep_going;
                    let next = if goes_on && guard.panic.is_none() {
                        pick(nodes, &urgency, &guard.started, &guard.done)
                    } else {
                        None
                    };
                    match next {
                        Some(i) => {
                            // Before it counts as started: it is among the ready ones.
                            let beside = jobs.min(guard.running + ready(nodes, &guard.started, &guard.done));
                            guard.started[i] = true;
                            guard.running += 1;
                            drop(guard);
                            // A panic must not leave the others waiting for ever.
                            let result = catch_unwind(AssertUnwindSafe(|| work(i, beside)));
                            guard = lock();
                            guard.running -= 1;
                            match result {
                                Ok(Ok(())) => guard.done[i] = true,
                                Ok(Err(e)) => guard.errors.push((i, e)),
                                Err(payload) => guard.panic = Some(payload),
                            }
                            changed.notify_all();
                        }
                        // Nothing is ready: either something under way makes it so, or all is over.
                        None if guard.running > 0 => {
                            guard = changed.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner);
                        }
                        None => return,
                    }
                }
            });
        }
    });
    let State { mut errors, panic, .. } =
        state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
    errors.sort_by_key(|(i, _)| *i);
    errors
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn node(needs: &[usize], estimate: f64) -> Node {
        Node { needs: needs.to_vec(), estimate }
    }

    fn diamond() -> Vec<Node> {
        vec![node(&[], 1.0), node(&[0], 5.0), node(&[0], 2.0), node(&[0], 3.0), node(&[1, 2, 3], 1.0)]
    }

    fn how(jobs: usize) -> How<'static> {
        How { jobs, keep_going: false, left_out: &[] }
    }

    #[test]
    fn estimates_follow_the_schedule() {
        assert!((makespan(&diamond(), 1) - 12.0).abs() < 1e-9);
        assert!((makespan(&diamond(), 2) - 7.0).abs() < 1e-9);
        assert!((makespan(&[], 2)).abs() < 1e-9);
    }

    #[test]
    fn every_job_runs_after_what_it_needs() {
        for jobs in 1..4 {
            let clock = AtomicUsize::new(0);
            let at: Vec<AtomicUsize> = (0..5).map(|_| AtomicUsize::new(usize::MAX)).collect();
            let errors = run(&diamond(), how(jobs), &|i, beside| {
                assert!((1..=jobs).contains(&beside));
                at[i].store(clock.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                Ok::<(), ()>(())
            });
            assert!(errors.is_empty());
            let at: Vec<usize> = at.iter().map(|a| a.load(Ordering::SeqCst)).collect();
            assert_eq!(at[0], 0);
            assert_eq!(at[4], 4);
        }
    }

    #[test]
    fn an_error_starts_nothing_more() {
        let ran = AtomicUsize::new(0);
        let errors = run(&diamond(), how(2), &|i, _| {
            ran.fetch_add(1, Ordering::SeqCst);
            if i == 0 {
                Err("no")
            } else {
                Ok(())
            }
        });
        assert_eq!(errors, [(0, "no")]);
        assert_eq!(ran.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_does_not_need_the_failed_job_goes_on() {
        let ran = Mutex::new(Vec::new());
        let mut graph = diamond();
        graph.push(node(&[2], 1.0));
        let left_out = [false, false, false, true, false, false];
        let errors = run(&graph, How { jobs: 2, keep_going: true, left_out: &left_out }, &|i, _| {
            ran.lock().unwrap().push(i);
            if i == 1 {
                Err("no")
            } else {
                Ok(())
            }
        });
        assert_eq!(errors, [(1, "no")]);
        let mut ran = ran.into_inner().unwrap();
        ran.sort_unstable();
        // 3 is left out, and 4 needs both it and the failed 1.
        assert_eq!(ran, [0, 1, 2, 5]);
    }

    #[test]
    fn a_lonely_job_is_told_that_it_is_alone() {
        let told = Mutex::new(Vec::new());
        let graph = [node(&[], 1.0), node(&[0], 1.0), node(&[0], 1.0), node(&[1, 2], 1.0)];
        run(&graph, how(1), &|i, beside| {
            told.lock().unwrap().push((i, beside));
            Ok::<(), ()>(())
        });
        assert!(told.into_inner().unwrap().iter().all(|(_, beside)| *beside == 1));
        let told = Mutex::new(vec![0; 4]);
        run(&graph, how(2), &|i, beside| {
            told.lock().unwrap()[i] = beside;
            Ok::<(), ()>(())
        });
        let told = told.into_inner().unwrap();
        assert_eq!((told[0], told[1], told[3]), (1, 2, 1));
    }
}
