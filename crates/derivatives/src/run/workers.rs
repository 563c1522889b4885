//! Independent jobs over the cores, each job on one core.
//!
//! Burn's CPU backend splits one matrix product over all threads of the rayon pool it runs in. For
//! the products of many batches it is faster to give each thread a batch of its own: a worker is
//! a pool of one thread, in which nothing is split.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The threads of all workers of the process, each started when it is first needed.
static THREADS: Mutex<Vec<Arc<ThreadPool>>> = Mutex::new(Vec::new());

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Threads that take one job at a time.
///
/// A process has one set of them, which all values of this type share and which is started at the
/// first use. By default as many are used as rayon's pool has threads, in which the call is made:
/// outside any pool the environment variable `RAYON_NUM_THREADS`, or one for each core. A job that
/// itself asks for workers does its jobs one after the other.
///
/// ```
/// use derivatives::Workers;
///
/// assert_eq!(Workers::new(2).map(&[1, 2, 3], |n| n * n), [1, 4, 9]);
/// assert_eq!(Workers::default().map(&[1, 2, 3], |n| n + 1), [2, 3, 4]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Workers {
    count: Option<usize>,
}

impl Workers {
    /// Creates workers of which at most `count` are used at a time. Without any, the calling thread
    /// does the jobs; where threads cannot be started there are fewer.
    #[must_use]
    pub const fn new(count: usize) -> Self {
        Self { count: Some(count) }
    }

    /// Returns how many threads are used for many jobs.
    #[must_use]
    pub fn count(&self) -> usize {
        if IS_WORKER.get() {
            // Workers that waited for each other's jobs might wait for ever.
            0
        } else {
            self.count.unwrap_or_else(rayon::current_num_threads)
        }
    }

    /// Returns the results of `job` for all items, in their order.
    ///
    /// # Panics
    /// If `job` does.
    pub fn map<T: Sync, R: Send>(&self, items: &[T], job: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let count = self.count();
        if count == 0 || items.len() < 2 {
            return items.iter().map(job).collect();
        }
        let threads = threads(count);
        if threads.is_empty() {
            return items.iter().map(job).collect();
        }
        const NO_PANIC: &str = "no job runs, and so none panics, while the results are locked";
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else { break };
                let result = job(item);
                results.lock().expect(NO_PANIC).push((index, result));
            }
        };
        start(&threads, &work);
        let mut results = results.into_inner().expect(NO_PANIC);
        results.sort_by_key(|&(index, _)| index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

/// Lets the C library keep freed memory for the next operation instead of giving it back.
///
/// Each operation makes a tensor and frees others. By default glibc returns the free end of a
/// thread's memory to the system as soon as it reaches 128 KiB, and the next operation has its
/// pages made anew: with small networks that took more than half of a loss surface's time. When a
/// block that was mapped by itself is freed, glibc raises both limits (mallopt(3),
/// `M_MMAP_THRESHOLD`: to the block's size, and that for the end of the memory to twice of it), up
/// to blocks of 32 MiB. Such a block is asked for once and freed without being touched. Elsewhere
/// it changes nothing.
fn keep_freed_memory() {
    /// A little less than the largest that counts, with its header.
    const LARGEST: usize = (32 << 20) - (64 << 10);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(black_box(Vec::<u8>::with_capacity(LARGEST))));
}

/// Returns `count` of the process's threads; fewer where they cannot be started.
fn threads(count: usize) -> Vec<Arc<ThreadPool>> {
    keep_freed_memory();
    let mut threads = THREADS.lock().expect("starting a thread does not panic");
    while threads.len() < count {
        let thread = ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "derivatives worker".to_owned())
            .start_handler(|_| IS_WORKER.set(true))
            .build();
        match thread {
            Ok(thread) => threads.push(Arc::new(thread)),
            Err(_) => break,
        }
    }
    threads.iter().take(count).map(Arc::clone).collect()
}

/// Runs `work` on every thread at once and waits for all.
fn start(threads: &[Arc<ThreadPool>], work: &(impl Fn() + Sync)) {
    if let Some((first, rest)) = threads.split_first() {
        first.in_place_scope(|scope| {
            scope.spawn(|_| work());
            start(rest, work);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::thread::{self, ThreadId};

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        for count in [0, 1, 3] {
            let doubled = Workers::new(count).map(&items, |n| 2 * n);
            assert!(doubled.iter().copied().eq((0..100).map(|n| 2 * n)));
        }
    }

    /// Returns the threads that do as many jobs, each of which waits until all have begun.
    fn taking_part(workers: Workers, count: usize) -> HashSet<ThreadId> {
        let all = Barrier::new(count);
        let jobs = vec![(); count];
        let ids = workers.map(&jobs, |()| {
            all.wait();
            thread::current().id()
        });
        ids.into_iter().collect()
    }

    #[test]
    fn all_workers_of_a_process_share_their_threads() {
        let three = taking_part(Workers::new(3), 3);
        assert_eq!(three.len(), 3);
        assert!(!three.contains(&thread::current().id()));
        assert_eq!(taking_part(Workers::new(3), 3), three);
        assert!(taking_part(Workers::new(2), 2).is_subset(&three));
    }

    #[test]
    fn worker_that_asks_for_workers_does_the_jobs_itself() {
        let ids = Workers::new(2).map(&[(), ()], |()| {
            let own = thread::current().id();
            let inner = Workers::new(2).map(&[(), (), ()], |()| thread::current().id());
            inner.iter().all(|id| *id == own)
        });
        assert_eq!(ids, [true, true]);
    }

    /// Linux counts the pages that it makes for a thread.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn memory_of_an_operation_is_there_for_the_next_one() {
        let faults = || -> u64 {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("counts");
            let (_, fields) = stat.rsplit_once(')').expect("the name in parentheses");
            let minor = fields.split_whitespace().nth(7);
            minor.expect("ten fields").parse().expect("a count")
        };
        let operations = || {
            let tensors: Vec<Vec<u8>> = (0..8).map(|_| vec![1; 100_000]).collect();
            drop(black_box(tensors));
        };
        let made = Workers::new(1).map(&[5, 200], |&rounds| {
            let before = faults();
            (0..rounds).for_each(|_| operations());
            faults() - before
        });
        // Each round writes 200 pages: made anew, they would be 40,000.
        assert!(made[1] < 2000, "{made:?}");
    }

    #[test]
    fn there_are_as_many_as_in_the_pool_of_rayon_that_asks() {
        let pool = ThreadPoolBuilder::new().num_threads(3).build();
        let count = pool
            .expect("threads")
            .install(|| Workers::default().count());
        assert_eq!(count, 3);
    }

    #[test]
    fn a_captured_loss_may_be_shared_between_threads() {
        const fn shared<T: Send + Sync>() {}
        shared::<crate::CapturedLoss>();
        shared::<crate::Linearized>();
    }
}
