//! Independent jobs over the cores, each job on one core.
//!
//! Burn's CPU backend splits one matrix product over all threads of the rayon pool it runs in. For
//! the products of many batches it is faster to give each thread a batch of its own: a worker is
//! a pool of one thread, in which nothing is split.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that take one job at a time.
///
/// ```
/// use derivatives::Workers;
///
/// let workers = Workers::new(2);
/// assert_eq!(workers.map(&[1, 2, 3], |n| n * n), [1, 4, 9]);
/// ```
#[derive(Debug, Default)]
pub struct Workers {
    pools: Vec<ThreadPool>,
}

impl Workers {
    /// `count` workers. Where threads cannot be started there are fewer; without any, the calling
    /// thread does the jobs.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let pool = || ThreadPoolBuilder::new().num_threads(1).build().ok();
        Self {
            pools: (0..count).map_while(|_| pool()).collect(),
        }
    }

    /// A worker for each core that the process may use.
    #[must_use]
    pub fn per_core() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The results of `job` for all items, in their order.
    ///
    /// # Panics
    /// If `job` does.
    pub fn map<T: Sync, R: Send>(&self, items: &[T], job: impl Fn(&T) -> R + Sync) -> Vec<R> {
        if self.pools.is_empty() || items.len() < 2 {
            return items.iter().map(job).collect();
        }
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else { break };
                let result = job(item);
                if let Ok(mut results) = results.lock() {
                    results.push((index, result));
                }
            }
        };
        start(&self.pools, &work);
        let mut results = results
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        results.sort_by_key(|&(index, _)| index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

/// The results of `job` for all items over the cores, by workers that the process keeps; one after
/// the other in a thread that is itself a worker.
pub(crate) fn spread<T: Sync, R: Send>(items: &[T], job: impl Fn(&T) -> R + Sync) -> Vec<R> {
    static SHARED: OnceLock<Workers> = OnceLock::new();
    // Workers that waited for each other's jobs might wait for ever.
    if rayon::current_num_threads() == 1 {
        return items.iter().map(job).collect();
    }
    SHARED.get_or_init(Workers::per_core).map(items, job)
}

/// Runs `work` on every pool at once and waits for all.
fn start(pools: &[ThreadPool], work: &(impl Fn() + Sync)) {
    if let Some((first, rest)) = pools.split_first() {
        first.in_place_scope(|scope| {
            scope.spawn(|_| work());
            start(rest, work);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        for count in [0, 1, 3] {
            let doubled = Workers::new(count).map(&items, |n| 2 * n);
            assert!(doubled.iter().copied().eq((0..100).map(|n| 2 * n)));
        }
    }

    #[test]
    fn a_captured_loss_may_be_shared_between_threads() {
        const fn shared<T: Send + Sync>() {}
        shared::<crate::CapturedLoss>();
        shared::<crate::Linearized>();
    }
}
