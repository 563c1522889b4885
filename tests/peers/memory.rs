//! Products under a memory limit, in a process of their own.

use std::time::Instant;

use anyhow::{Context, Result};
use landscape::{Batch as _, Hessian, LinearOperator, Method, ProductConfig, Risk};
use tests::image_loss;

use crate::case::{Case, Problem};

/// Prints, as JSON: the peak resident memory before the operator is made and after seven products,
/// the bytes kept, how many parts are kept and recomputed, and the median seconds of a product.
pub(crate) fn report<C: Case>(limit: &str) -> Result<()> {
    let limit = match limit {
        "all" => None,
        bytes => Some(bytes.parse().context("a limit in bytes, or all")?),
    };
    let problem = Problem::of::<C>()?;
    // What a process loads with its first operations (pages of the program, threads, buffers of
    // matrix products) is not the product's: on PyTorch's side it is not counted either.
    let few = problem.batch.clone().narrow(0..8);
    Hessian::at(&problem.model, &Risk::mean([few], image_loss))?.apply(&problem.v)?;
    let before = peak()?;
    let config = ProductConfig::new().with_memory_limit(limit);
    let hessian = Hessian::at_with(&problem.model, &problem.risk(), &config)?;
    let mut seconds = Vec::new();
    for _ in 0..7 {
        let began = Instant::now();
        hessian.apply(&problem.v)?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let (kept, recomputed) = match hessian.method() {
        Method::Exact {
            kept, recomputed, ..
        } => (kept, recomputed),
        other => anyhow::bail!("products by {other}"),
    };
    let report = serde_json::json!({
        "before": before,
        "peak": peak()?,
        "kept_bytes": hessian.kept_bytes(),
        "kept": kept,
        "recomputed": recomputed,
        "seconds": seconds[seconds.len() / 2],
    });
    println!("{report}");
    Ok(())
}

/// The peak resident memory of this process, in bytes.
fn peak() -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("a kernel that tells the peak of a process")?;
    let kib: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
