//! Radii that change, inside steps.

use std::f64::consts::PI;

use sam::{GsamConfig, RhoSchedule, SamConfig};

use super::{agrees, learning_rate};

#[test]
fn radius_on_a_line_and_on_a_cosine_follows_the_step() {
    let part = |step: u64| (step as f64 / 15.0).min(1.0);
    let linear = SamConfig::new()
        .with_rho(0.4)
        .with_schedule(RhoSchedule::Linear {
            end: 0.1,
            steps: 15,
        });
    agrees(
        "SAM, linear radius",
        linear.init().expect("settings in range"),
        |start| start.sam(0.4 - 0.3 * part(start.step), 1),
    );
    let cosine = SamConfig::new()
        .with_rho(0.4)
        .with_schedule(RhoSchedule::Cosine {
            end: 0.1,
            steps: 15,
        });
    agrees(
        "SAM, radius on a cosine",
        cosine.init().expect("settings in range"),
        |start| start.sam(0.1 + 0.3 * (1.0 + (PI * part(start.step)).cos()) / 2.0, 1),
    );
}

#[test]
fn radius_that_follows_the_learning_rate_sees_the_one_of_the_step() {
    let proportional = SamConfig::new()
        .with_rho(0.4)
        .with_schedule(RhoSchedule::Proportional { lr_max: 0.1 });
    agrees(
        "SAM, radius as the learning rate",
        proportional.init().expect("settings in range"),
        |start| start.sam(0.4 * learning_rate(start.step) / 0.1, 1),
    );
}

/// Zhuang et al. 2022, algorithm 1: rho_min + (rho_max - rho_min) (lr - lr_min) / (lr_max -
/// lr_min).
#[test]
fn radius_of_gsam_follows_the_learning_rate_as_in_its_paper() {
    let between = RhoSchedule::Between {
        rho_min: 0.1,
        lr_min: 0.02,
        lr_max: 0.1,
    };
    let method = GsamConfig::new()
        .with_rho(0.4)
        .with_alpha(0.2)
        .with_schedule(between);
    agrees(
        "GSAM, its paper's radius",
        method.init().expect("settings in range"),
        |start| {
            let lr = learning_rate(start.step);
            start.gsam(0.1 + 0.3 * (lr - 0.02) / 0.08, 0.2)
        },
    );
}
