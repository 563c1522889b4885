//! The peak memory of products, in a process of their own.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};
use datasets::{MnistSubset, batch};
use landscape::{
    Batch as _, Hessian, LinearOperator, Method, ParameterSpace, ProductConfig, random_direction,
};
use models::{Classifier, MlpConfig};
use tests::ImageBatch;

use crate::case::{Case, Visitor};
use crate::problem::{Problem, risk_of};
use crate::timing::median;

/// Products under a limit: prints, as JSON, the peak resident memory before the operator is made
/// and after seven products, the bytes kept, how many parts are kept and recomputed, and the
/// median seconds of a product.
pub(crate) struct Limited<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) batches: usize,
    /// In bytes, or `all`.
    pub(crate) limit: &'a str,
}

impl Visitor for Limited<'_> {
    fn visit<M: Classifier + Sync + 'static>(self, case: &'static Case, model: M) -> Result<()> {
        let limit = match self.limit {
            "all" => None,
            bytes => Some(bytes.parse().context("a limit in bytes, or all")?),
        };
        let problem = Problem::read(case, model, self.folder, self.batches)?;
        warm_up(&problem.model, &problem.batch, &problem.v)?;
        let before = peak()?;
        let config = ProductConfig::new().with_memory_limit(limit);
        let hessian = Hessian::at_with(&problem.model, &problem.risk(), &config)?;
        let seconds = median(7, || hessian.apply(&problem.v))?;
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
            "seconds": seconds,
        });
        println!("{report}");
        Ok(())
    }
}

/// Products of 784-`units`-10 on so many images of MNIST with so many tangents at once: prints, as
/// JSON, the parameters, the seconds of all products together, and the peak resident memory before
/// the operator is made and after them.
pub(crate) fn grown(examples: usize, units: usize, tangents: usize, times: usize) -> Result<()> {
    let model = MlpConfig::new(vec![784, units, 10]).init_seeded(1, &Device::flex().autodiff())?;
    let indices: Vec<usize> = (0..examples).collect();
    let batch = batch(&MnistSubset::load()?.train, &indices, &Device::flex()).into_pair();
    let space = ParameterSpace::of(&model)?;
    let vectors = (0..tangents).map(|seed| random_direction(&space, seed as u64));
    let vectors: Vec<Tensor<1>> = vectors.collect();
    warm_up(&model, &batch, &vectors[0])?;
    let before = peak()?;
    let hessian = Hessian::at(&model, &risk_of(vec![batch]))?;
    let seconds = median(times, || hessian.apply_many(&vectors))?;
    let report = serde_json::json!({
        "parameters": space.dim(),
        "before": before,
        "peak": peak()?,
        "seconds": seconds,
    });
    println!("{report}");
    Ok(())
}

/// Takes a product over 8 examples. What a process loads with its first operations (pages of the
/// program, threads, buffers of matrix products) is not the product's: on PyTorch's side it is not
/// counted either.
fn warm_up<M: Classifier + Sync + 'static>(
    model: &M,
    batch: &ImageBatch,
    v: &Tensor<1>,
) -> Result<()> {
    let few = batch.clone().narrow(0..8);
    Hessian::at(model, &risk_of(vec![few]))?.apply(v)?;
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
