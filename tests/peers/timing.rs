//! Seconds of something done several times.

use std::time::Instant;

/// Returns the median seconds of so many times.
pub(crate) fn median<T, E>(times: usize, mut job: impl FnMut() -> Result<T, E>) -> Result<f64, E> {
    let mut seconds = Vec::new();
    for _ in 0..times {
        let began = Instant::now();
        job()?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[times / 2])
}
