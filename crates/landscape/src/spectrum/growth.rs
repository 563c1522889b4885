//! The growth of a Lanczos run until the wanted pairs have converged, with thick restarts where its
//! memory is bounded.

use super::block::BlockLanczos;
use super::lanczos::random_start;
use super::{DenseEigen, LanczosConfig};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::largest_magnitude;

/// Fewest steps before convergence is believed, and after the first space that is invariant to the
/// tolerance: eigenvectors given as start are invariant at once, and need not belong to the
/// eigenvalues wanted.
const MIN_STEPS: usize = 10;

/// A run that has met its end, with the eigenpairs of T and the positions of those wanted.
pub(super) struct Finished {
    pub(super) run: BlockLanczos,
    pub(super) eigen: DenseEigen,
    pub(super) chosen: Vec<usize>,
}

/// Runs Lanczos from `starts`, and random vectors where a block needs more, until the bounds of the
/// `count` pairs wanted are met or no step is left. `rank` gives the positions in the ascending
/// Ritz values of so many of them, the most wanted first.
pub(super) fn grow<A: LinearOperator + ?Sized>(
    op: &A,
    mut starts: Vec<Vec<f64>>,
    config: &LanczosConfig,
    count: usize,
    rank: impl Fn(&[f64], usize) -> Vec<usize>,
) -> Result<Finished, Error> {
    let block = config.block_size.min(op.dim());
    for index in starts.len()..block {
        starts.push(random_start(op, config.seed, index as u64)?);
    }
    let mut run = BlockLanczos::new(op, config.basis, starts, config.seed)?;
    let mut target = MIN_STEPS.max(2 * count);
    run.step(op)?;
    loop {
        let is_last = run.next() == 0 || run.steps() + run.next() > config.max_steps;
        let is_full = config
            .max_vectors
            .is_some_and(|most| run.vectors() + run.next() > most);
        if !is_last && !is_full && run.steps() < target {
            run.step(op)?;
            continue;
        }
        let eigen = run.eigen()?;
        let chosen = rank(&eigen.values, count);
        let level = config.tolerance * largest_magnitude(&eigen.values);
        // Half of the tolerance: the other half is left to the operator's rounding, which the
        // true residual has in it.
        let is_met = |index: &usize| run.bound(&eigen.vectors[*index]) <= 0.5 * level;
        let met = chosen.len() == count && chosen.iter().all(is_met);
        // Rounding may keep the beta of an invariant space above the level at which a random vector
        // is taken.
        let explored = run
            .invariant_after(level)
            .is_none_or(|after| run.steps() >= after + MIN_STEPS * block);
        if is_last || (met && explored) {
            run.check_single(op)?;
            return Ok(Finished { run, eigen, chosen });
        }
        if let Some(most) = config.max_vectors.filter(|_| is_full) {
            // Half of the vectors that are not wanted stay: they hold what has been learnt of the
            // neighbours, without which the wanted would converge slowly.
            let half = count + (eigen.values.len() - count.min(eigen.values.len())) / 2;
            let kept = rank(&eigen.values, half.min(most - 2 * run.next()));
            run.restart(&eigen, &kept);
        }
        // The small eigenproblem is cheap beside products, but not free: a tenth more steps.
        target = run.steps() + (run.steps() / 10).max(1);
    }
}

/// Checks the settings for so many pairs of an operator of dimension `dim`.
pub(super) fn check(config: &LanczosConfig, count: usize, dim: usize) -> Result<(), Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    if count > dim {
        return setting(
            "the number of eigenpairs k",
            format!("{count} of an operator with {dim} coordinates"),
            "at most the number of coordinates P",
        );
    }
    if config.tolerance.is_nan() || config.tolerance <= 0.0 {
        return setting("tolerance", config.tolerance.to_string(), "positive");
    }
    if config.block_size == 0 {
        return setting("block_size", "0".into(), "at least 1");
    }
    if config.max_steps / config.block_size * config.block_size < count {
        return setting(
            "max_steps",
            config.max_steps.to_string(),
            "at least the number of pairs, in whole blocks",
        );
    }
    if let Some(most) = config.max_vectors
        && most < count + 2 * config.block_size
    {
        return setting(
            "max_vectors",
            most.to_string(),
            "at least the number of pairs and twice the block size",
        );
    }
    Ok(())
}
