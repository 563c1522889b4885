//! Twenty steps of each method on changing batches.

use sam::{
    AsamConfig, FriendlySamConfig, GsamConfig, LookSamConfig, MicroBatchSamConfig, SamConfig,
};

use super::network::gradient;
use super::steps::{dot, norm, sum, towards};
use super::{EXAMPLES, agrees};

#[test]
fn sam_agrees_with_foret_et_al_in_one_ascent_step_and_in_several() {
    for ascent_steps in [1, 3] {
        let method = SamConfig::new()
            .with_rho(0.3)
            .with_ascent_steps(ascent_steps)
            .init()
            .expect("settings in range");
        let label = format!("SAM, {ascent_steps} ascent steps");
        agrees(&label, method, |start| start.sam(0.3, ascent_steps));
    }
}

#[test]
fn asam_agrees_with_kwon_et_al_in_one_ascent_step_and_in_several() {
    for ascent_steps in [1, 3] {
        let method = AsamConfig::new()
            .with_rho(0.5)
            .with_ascent_steps(ascent_steps)
            .init()
            .expect("settings in range");
        let label = format!("ASAM, {ascent_steps} ascent steps");
        agrees(&label, method, |start| start.asam(0.5, 0.01, ascent_steps));
    }
}

#[test]
fn gsam_agrees_with_zhuang_et_al() {
    let method = GsamConfig::new()
        .with_rho(0.3)
        .with_alpha(0.4)
        .init()
        .expect("settings in range");
    agrees("GSAM", method, |start| start.gsam(0.3, 0.4));
}

/// Liu et al. 2022, algorithm 1: every k-th step descends SAM's gradient g_s and keeps its
/// component orthogonal to g; the others add it to g in the length α ‖g‖.
#[test]
fn looksam_agrees_with_liu_et_al() {
    for k in [1, 2, 5] {
        let (rho, alpha) = (0.3, 0.7);
        let method = LookSamConfig::new()
            .with_rho(rho)
            .with_k(k)
            .with_alpha(alpha)
            .init()
            .expect("settings in range");
        let mut kept = Vec::new();
        agrees(&format!("LookSAM, k = {k}"), method, |start| {
            let g = start.gradient(start.weights);
            if start.step.is_multiple_of(k as u64) {
                let at_peak = start.gradient(&towards(start.weights, &g, rho));
                let parallel = dot(&at_peak, &g) / dot(&g, &g);
                kept = sum(1.0, &at_peak, -parallel, &g);
                at_peak
            } else {
                sum(1.0, &g, alpha * norm(&g) / norm(&kept), &kept)
            }
        });
    }
}

/// Li et al. 2024, equations 9 and 10: m_t = lambda m_(t-1) + (1 - lambda) g_t from m_0 = 0, and
/// the ascent along g_t - sigma m_t.
#[test]
fn friendly_sam_agrees_with_li_et_al() {
    for (sigma, lambda) in [(1.0, 0.9), (0.6, 0.5)] {
        let rho = 0.3;
        let method = FriendlySamConfig::new()
            .with_rho(rho)
            .with_sigma(sigma)
            .with_lambda(lambda)
            .init()
            .expect("settings in range");
        let mut average: Option<Vec<f64>> = None;
        let label = format!("Friendly-SAM, sigma = {sigma}, lambda = {lambda}");
        agrees(&label, method, |start| {
            let g = start.gradient(start.weights);
            let old = average.take().unwrap_or_else(|| vec![0.0; g.len()]);
            let new = sum(lambda, &old, 1.0 - lambda, &g);
            let along = sum(1.0, &g, -sigma, &new);
            average = Some(new);
            start.gradient(&towards(start.weights, &along, rho))
        });
    }
}

/// Foret et al. 2021, section 4.1, and Andriushchenko and Flammarion 2022, equation 3: a peak for
/// each micro-batch, and the mean of the gradients over all examples.
#[test]
fn micro_batch_sam_agrees_with_foret_et_al_where_the_last_micro_batch_is_smaller() {
    for m in [1, 5, EXAMPLES] {
        let rho = 0.3;
        let method = MicroBatchSamConfig::new(m)
            .with_rho(rho)
            .init()
            .expect("settings in range");
        agrees(&format!("m-SAM, m = {m}"), method, |start| {
            let mut mean = vec![0.0; start.weights.len()];
            for rows in start.data.all().chunks(m) {
                let g = gradient(start.weights, start.data, rows);
                let peak = towards(start.weights, &g, rho);
                let share = rows.len() as f64 / EXAMPLES as f64;
                mean = sum(1.0, &mean, share, &gradient(&peak, start.data, rows));
            }
            mean
        });
    }
}
