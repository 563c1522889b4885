//! Both sides of each threshold, at the value that its derivation gives.

use landscape::stability::Optimiser;
use probes::diagnosis::{
    Confidence, Diagnosis, Facts, InitialisationScheme, Remedy, Severity, Symptom,
};
use probes::{Record, Value, show};

use super::{
    PATH, STEPS, at_chance, has, healthy, learning, losing, settings, severity, sound_gradients,
    symptoms, with,
};

/// Next to a threshold, on both sides: beyond the rounding of sums.
const BELOW: f64 = 1.0 - 1e-9;
const ABOVE: f64 = 1.0 + 1e-9;

#[test]
fn healthy_run_has_no_finding() {
    assert_eq!(symptoms(&healthy().diagnose()), []);
}

#[test]
fn loss_above_twice_chance_after_the_start_is_a_learning_rate_too_high() {
    let chance = 10f64.ln();
    let peak = |factor: f64| {
        let facts = with(settings(), "loss/train", &[(0, chance)]);
        let facts = with(facts, "loss/train", &[(5, 2.0 * chance * factor)]);
        with(facts, "loss/train", &[(10, 2.0), (STEPS, 2.0)])
    };
    assert!(!has(&peak(BELOW), Symptom::LearningRateTooHigh));
    assert!(has(&peak(ABOVE), Symptom::LearningRateTooHigh));
}

#[test]
fn learning_rate_that_made_the_loss_infinite_is_a_problem_and_is_lowered() {
    let facts = with(settings(), "loss/train", &[(0, 2.3), (5, f64::INFINITY)]);
    let facts = with(facts, "stability/sharpness_ratio", &[(0, 20.0)]);
    let found = facts.diagnose();
    let first = &found.findings[0];
    assert_eq!(first.symptom, Symptom::LearningRateTooHigh);
    assert_eq!(first.severity, Severity::Problem);
    assert_eq!(first.confidence, Confidence::Sure);
    // To a quarter of the threshold: 20 times too much becomes 0.25.
    assert_eq!(first.remedies[0], Remedy::LearningRate { factor: 0.0125 });
}

#[test]
fn update_longer_than_the_weights_counts_by_the_step() {
    let stuck = || with(at_chance(settings()), "parameters/norm", &[(0, 5.0)]);
    let update = |length: f64, steps: f64| {
        let facts = with(stuck(), "parameters/relative_update", &[(50, length)]);
        with(facts, "parameters/update_steps", &[(50, steps)])
    };
    assert!(!has(
        &update(50.0 * BELOW, 50.0),
        Symptom::LearningRateTooHigh
    ));
    assert!(has(
        &update(50.0 * ABOVE, 50.0),
        Symptom::LearningRateTooHigh
    ));
    // From weights that are zero any update is longer.
    let facts = with(at_chance(settings()), "parameters/norm", &[(0, 0.0)]);
    let facts = with(facts, "parameters/relative_update", &[(50, 1e9)]);
    assert!(!has(&facts, Symptom::LearningRateTooHigh));
}

#[test]
fn units_that_died_in_a_failing_run_are_the_rate() {
    let dead = |facts, start: f64, end: f64| {
        with(facts, "activation/dead_share", &[(0, start), (STEPS, end)])
    };
    let failing = || sound_gradients(at_chance(settings()));
    assert!(has(
        &dead(failing(), 0.0, 1.0),
        Symptom::LearningRateTooHigh
    ));
    // More than half.
    for (end, is_rate) in [(0.5 * BELOW, false), (0.5 * ABOVE, true)] {
        let found = has(&dead(failing(), 0.0, end), Symptom::LearningRateTooHigh);
        assert_eq!(found, is_rate, "{end}");
    }
    // Dead from the start they are not, nor in a run that learns.
    assert!(!has(
        &dead(failing(), 1.0, 1.0),
        Symptom::LearningRateTooHigh
    ));
    assert!(!has(
        &dead(healthy(), 0.0, 1.0),
        Symptom::LearningRateTooHigh
    ));
}

#[test]
fn first_loss_above_twice_chance_is_an_explosion() {
    let first = |factor: f64| {
        let facts = with(settings(), "loss/train", &[(0, 2.0 * 10f64.ln() * factor)]);
        with(facts, "loss/train", &[(STEPS, 2.5)])
    };
    assert!(!has(&first(BELOW), Symptom::ExplodingGradients));
    let found = first(ABOVE).diagnose();
    assert_eq!(found.findings[0].symptom, Symptom::ExplodingGradients);
    assert_eq!(found.findings[0].severity, Severity::Problem);
    // Trained all the same, it is a note.
    let facts = losing(settings(), |part| 6.0 * (-8.0 * part).exp() + 0.01);
    assert_eq!(
        severity(&facts, Symptom::ExplodingGradients),
        Some(Severity::Note)
    );
}

#[test]
fn gradient_that_is_not_finite_beside_a_finite_loss_is_an_explosion() {
    let facts = with(
        learning(settings()),
        "gradient/norm",
        &[(0, 1.0), (10, f64::NAN)],
    );
    assert_eq!(
        severity(&facts, Symptom::ExplodingGradients),
        Some(Severity::Problem)
    );
}

#[test]
fn layer_with_a_thousandth_of_the_largest_gradient_is_vanishing() {
    let span = |smallest: f64| {
        let facts = with(
            at_chance(settings()),
            "gradient/layer/first",
            &[(0, smallest)],
        );
        with(facts, "gradient/layer/second", &[(0, 1.0)])
    };
    assert!(!has(&span(1e-3 * ABOVE), Symptom::VanishingGradients));
    assert_eq!(
        severity(&span(1e-3 * BELOW), Symptom::VanishingGradients),
        Some(Severity::Problem)
    );
    let trained = with(learning(settings()), "gradient/layer/first", &[(0, 1e-4)]);
    let trained = with(trained, "gradient/layer/second", &[(0, 1.0)]);
    assert_eq!(
        severity(&trained, Symptom::VanishingGradients),
        Some(Severity::Note)
    );
}

#[test]
fn uniform_weights_take_the_gradient_away_within_nine_relu_layers() {
    // The factor of a layer is √(1/6): variance 1 / (3n), of which a ReLU leaves half.
    let deep = |layers: i32| {
        (0..layers).fold(at_chance(settings()), |facts, layer| {
            let norm = 6f64.powf(-0.5 * f64::from(layers - 1 - layer));
            let tag = format!("gradient/layer/hidden/{layer}");
            with(facts, &tag, &[(0, norm)])
        })
    };
    assert!(!has(&deep(8), Symptom::VanishingGradients));
    let found = deep(9).diagnose();
    let finding = found.find(Symptom::VanishingGradients).unwrap();
    assert_eq!(finding.remedies[0], Remedy::FewerLayers);
}

/// The outputs of layers one after another change by at most the product of the largest singular
/// values of what the inputs do.
#[test]
fn weights_whose_product_is_a_thousandth_carry_no_signal() {
    let small = |norm: f64, others: f64, facts: Facts| {
        let mut facts = facts;
        for (layer, gradient) in [("a", others), ("b", others), ("c", 0.16)] {
            let (weights, gradients) = (
                format!("weights/{layer}/spectral_norm"),
                format!("gradient/layer/{layer}"),
            );
            facts = with(facts, &weights, &[(0, norm)]);
            facts = with(facts, &gradients, &[(0, gradient)]);
        }
        with(facts, "gradient/norm", &[(0, 0.16), (STEPS, 0.14)])
    };
    let first = |facts: &Facts| symptoms(&facts.diagnose()).first().copied();
    // 0.1³ = 1/1,000.
    let weak = small(0.1 * BELOW, 0.015, at_chance(settings()));
    assert_eq!(first(&weak), Some(Symptom::VanishingGradients));
    let remedy = weak.diagnose().findings[0].remedies[0];
    let scheme = InitialisationScheme::He;
    assert_eq!(remedy, Remedy::Initialisation { scheme });
    // Larger ones, another way for the signal, and a loss that fell all the same.
    for sound in [
        small(0.1 * ABOVE, 0.015, at_chance(settings())),
        small(0.1 * BELOW, 0.016 * ABOVE, at_chance(settings())),
        small(0.1 * BELOW, 0.015, learning(settings())),
    ] {
        assert!(!has(&sound, Symptom::VanishingGradients));
    }
    // Such weights are moved by more than their length by any step.
    let moved = with(weak, "parameters/norm", &[(0, 0.2), (STEPS, 1.0)]);
    let moved = with(moved, "parameters/relative_update", &[(1, 5.0)]);
    assert!(!has(&moved, Symptom::LearningRateTooHigh));
}

#[test]
fn plateau_is_a_gradient_that_a_whole_run_could_not_use() {
    // A twentieth of the loss, to first order: path ‖g‖² = ln 10 / 20.
    let edge = (0.05 * 10f64.ln() / PATH).sqrt();
    let last = |norm: f64| {
        let facts = at_chance(settings());
        let facts = with(facts, "training/learning_rate", &[(0, 0.1), (STEPS, 0.1)]);
        with(facts, "gradient/norm", &[(0, 1.0), (STEPS, norm)])
    };
    assert!(has(&last(edge * BELOW), Symptom::VanishingGradients));
    assert!(!has(&last(edge * ABOVE), Symptom::VanishingGradients));
}

#[test]
fn run_whose_steps_cannot_remove_the_loss_once_has_a_rate_too_low() {
    let edge = (10f64.ln() / PATH).sqrt();
    // Four times the loss, or a quarter of the threshold: whichever is less.
    let slow = |norm: f64, ratio: f64| {
        let facts = at_chance(settings());
        let facts = with(facts, "stability/sharpness_ratio", &[(0, ratio)]);
        with(facts, "gradient/norm", &[(0, norm), (STEPS, norm)])
    };
    assert!(has(&slow(edge * BELOW, 0.01), Symptom::LearningRateTooLow));
    assert!(!has(&slow(edge * ABOVE, 0.01), Symptom::LearningRateTooLow));
    assert!(has(
        &slow(edge * BELOW, 0.1 * BELOW),
        Symptom::LearningRateTooLow
    ));
    assert!(!has(
        &slow(edge * BELOW, 0.1 * ABOVE),
        Symptom::LearningRateTooLow
    ));
    let found = slow(edge * BELOW, 0.01).diagnose();
    let finding = found.find(Symptom::LearningRateTooLow).unwrap();
    let Remedy::LearningRate { factor } = finding.remedies[0] else {
        panic!("the rate first");
    };
    assert!((factor - 4.0).abs() < 1e-6, "{factor}");
    let found = slow(0.01 * edge, 1e-4).diagnose();
    let finding = found.find(Symptom::LearningRateTooLow).unwrap();
    assert_eq!(finding.remedies[0], Remedy::LearningRate { factor: 2500.0 });
}

#[test]
fn curvature_is_compared_with_the_largest_rate_of_a_schedule() {
    let norm = BELOW * (10f64.ln() / PATH).sqrt();
    // Measured at the end, when the rate has fallen to 1e-4 of its largest.
    let slow = |ratio: f64| {
        let facts = at_chance(settings());
        let facts = with(facts, "training/learning_rate", &[(0, 0.1), (STEPS, 1e-5)]);
        let facts = with(facts, "stability/sharpness_ratio", &[(STEPS, ratio)]);
        with(facts, "gradient/norm", &[(0, norm), (STEPS, norm)])
    };
    let edge = 0.1 * 1e-4;
    assert!(has(&slow(edge * BELOW), Symptom::LearningRateTooLow));
    assert!(!has(&slow(edge * ABOVE), Symptom::LearningRateTooLow));
}

#[test]
fn units_that_leave_a_tenth_of_the_gradient_are_a_problem() {
    for (kind, symptom) in [
        ("dead_share", Symptom::DeadUnits),
        ("saturated_share", Symptom::SaturatedUnits),
    ] {
        // Two layers with 1 − s = 1/10 each: √(1/10 · 1/10) is a tenth of the norm.
        let blocked = |pass: f64| {
            let facts = sound_gradients(at_chance(settings()));
            let first = format!("activation/layer_1_relu/{kind}");
            let second = format!("activation/layer_2_relu/{kind}");
            let facts = with(facts, &first, &[(0, 1.0 - pass)]);
            let facts = with(facts, &second, &[(0, 0.9)]);
            with(facts, &format!("activation/{kind}"), &[(0, 0.3)])
        };
        assert_eq!(severity(&blocked(0.1 * ABOVE), symptom), None, "{kind}");
        let found = severity(&blocked(0.1 * BELOW), symptom);
        assert_eq!(found, Some(Severity::Problem), "{kind}");
    }
}

#[test]
fn spread_of_activations_tells_of_saturation_beyond_that_of_normal_inputs() {
    // (1 − std²) / 0.606 in two layers, of which the root of the product is a tenth.
    let saturated = |pass: f64| {
        let std = (1.0 - 0.606 * pass).sqrt();
        (1..=2).fold(sound_gradients(at_chance(settings())), |facts, layer| {
            let tag = |quantity| format!("activation/layer_{layer}_tanh/{quantity}");
            let facts = with(facts, &tag("saturated_share"), &[(0, 0.2)]);
            with(facts, &tag("std"), &[(0, std)])
        })
    };
    let symptom = Symptom::SaturatedUnits;
    assert!(!has(&saturated(0.1 * ABOVE), symptom));
    assert_eq!(
        severity(&saturated(0.1 * BELOW), symptom),
        Some(Severity::Problem)
    );
    // Standard normal inputs, through however many layers, block nothing: E tanh² = 0.394.
    let deep = (0..40).fold(sound_gradients(at_chance(settings())), |facts, layer| {
        let tag = |quantity| format!("activation/layer_{layer}_tanh/{quantity}");
        let facts = with(facts, &tag("saturated_share"), &[(0, 0.0)]);
        with(facts, &tag("std"), &[(0, 0.394_f64.sqrt())])
    });
    assert!(!has(&deep, symptom));
}

#[test]
fn half_of_the_units_dead_is_a_warning_in_a_run_that_fails_and_a_note_in_one_that_learns() {
    let dead = |facts, share: f64| with(facts, "activation/dead_share", &[(STEPS, share)]);
    let failing = || sound_gradients(at_chance(settings()));
    assert_eq!(severity(&dead(failing(), 0.5), Symptom::DeadUnits), None);
    assert_eq!(
        severity(&dead(failing(), 0.5 * ABOVE), Symptom::DeadUnits),
        Some(Severity::Warning)
    );
    assert_eq!(
        severity(&dead(healthy(), 0.6), Symptom::DeadUnits),
        Some(Severity::Note)
    );
}

#[test]
fn batch_norm_gap_counts_from_twice_the_loss_and_a_twentieth_of_chance_on() {
    let gap = |nats: f64| {
        let facts = learning(settings());
        with(facts, "batch_norm/loss_gap", &[(STEPS, -nats)])
    };
    let edge = 10f64.ln() / 20.0;
    assert!(!has(&gap(edge * BELOW), Symptom::BatchNormGap));
    let high = with(gap(0.5 * ABOVE), "batch_norm/batch_loss", &[(STEPS, 0.5)]);
    assert!(has(&high, Symptom::BatchNormGap));
    let high = with(gap(0.5 * BELOW), "batch_norm/batch_loss", &[(STEPS, 0.5)]);
    assert!(!has(&high, Symptom::BatchNormGap));
    assert_eq!(
        severity(&gap(edge * ABOVE), Symptom::BatchNormGap),
        Some(Severity::Warning)
    );
    // Half of ln 10 lost again.
    assert_eq!(
        severity(&gap(1.2), Symptom::BatchNormGap),
        Some(Severity::Problem)
    );
    // Running statistics begin far from the data's.
    let early = with(settings(), "batch_norm/loss_gap", &[(49, -3.0)]);
    assert!(!has(&early, Symptom::BatchNormGap));
}

#[test]
fn labels_are_tested_against_guessing() {
    // 0.1 + 3.09 √(0.1 · 0.9 / 300).
    let edge = 0.1 + 3.09 * (0.09_f64 / 300.0).sqrt();
    let memorised = |accuracy: f64| {
        let facts = sound_gradients(learning(settings()));
        let facts = with(facts, "loss/valid", &[(0, 2.3), (STEPS, 4.0)]);
        with(facts, "accuracy/valid", &[(STEPS, accuracy)])
    };
    let found = memorised(edge * BELOW).diagnose();
    let finding = found.find(Symptom::UnfittableLabels).unwrap();
    assert_eq!(finding.severity, Severity::Problem);
    assert_eq!(finding.confidence, Confidence::Sure);
    assert_eq!(finding.level, Some(0.001));
    // Beyond the test, and up to a tenth of the way to perfect, it is still next to nothing.
    for accuracy in [edge * ABOVE, 0.19 * BELOW] {
        let found = memorised(accuracy).diagnose();
        let finding = found.find(Symptom::UnfittableLabels).unwrap();
        let expected = (Severity::Problem, Confidence::Likely, None);
        assert_eq!(
            (finding.severity, finding.confidence, finding.level),
            expected
        );
    }
    // Better than that, with a loss that is worse than guessing's: only a warning.
    assert_eq!(
        severity(&memorised(0.19 * ABOVE), Symptom::UnfittableLabels),
        Some(Severity::Warning)
    );
}

#[test]
fn loss_that_stays_at_chance_with_sound_gradients_is_the_labels() {
    let stuck = |noise_scale: f64| {
        let facts = sound_gradients(at_chance(settings()));
        let facts = with(facts, "loss/valid", &[(0, 2.3), (STEPS, 2.31)]);
        let facts = with(facts, "accuracy/valid", &[(STEPS, 0.11)]);
        with(facts, "gradient/noise_scale", &[(STEPS, noise_scale)])
    };
    let confidence = |noise_scale| {
        let found = stuck(noise_scale).diagnose();
        assert_eq!(symptoms(&found), [Symptom::UnfittableLabels]);
        found.findings[0].confidence
    };
    // A third of 1024 examples.
    assert_eq!(confidence(1024.0 / 3.0 * ABOVE), Confidence::Sure);
    assert_eq!(confidence(1024.0 / 3.0 * BELOW), Confidence::Likely);
}

#[test]
fn edge_of_stability_is_no_finding_and_beyond_it_is() {
    let ratios =
        |points: &[(u64, f64)]| with(learning(settings()), "stability/sharpness_ratio", points);
    let symptom = Symptom::PastEdgeOfStability;
    assert!(!has(
        &ratios(&[(10, 1.1 * BELOW), (20, 1.1 * BELOW)]),
        symptom
    ));
    assert!(!has(&ratios(&[(10, 1.1 * ABOVE), (20, 1.0)]), symptom));
    assert!(has(
        &ratios(&[(10, 1.1 * ABOVE), (20, 1.1 * ABOVE)]),
        symptom
    ));
    assert!(!has(&ratios(&[(10, 2.0 * BELOW), (20, 1.0)]), symptom));
    let past = ratios(&[(10, 2.0 * ABOVE), (20, 1.0)]);
    assert_eq!(severity(&past, symptom), Some(Severity::Note));
    // Within its error it may be the edge.
    let unsure = with(past, "curvature_check/sharpness_ratio_error", &[(10, 0.5)]);
    assert!(!has(&unsure, symptom));
}

#[test]
fn ratio_of_an_adaptive_optimiser_counts_when_its_moments_are_filled() {
    let adam = |step: u64| {
        let facts = learning(settings().with_optimiser(Optimiser::Adam { beta_1: 0.9 }));
        with(facts, "stability/sharpness_ratio", &[(step, 900.0)])
    };
    assert!(!has(&adam(21), Symptom::PastEdgeOfStability));
    assert!(has(&adam(22), Symptom::PastEdgeOfStability));
}

#[test]
fn loss_that_is_thrown_back_past_the_edge_is_a_warning() {
    // Five neighbouring points that lie above the low by a tenth of ln 10, or not quite.
    let thrown = |rise: f64| {
        let facts = losing(settings(), |part| {
            let again = 0.8..0.825;
            let low = 0.02 + 2.28 * (-8.0 * part).exp();
            if again.contains(&part) {
                low + rise
            } else {
                low
            }
        });
        let ratios = [(400, 1.5), (800, 1.5)];
        with(facts, "stability/sharpness_ratio", &ratios)
    };
    let symptom = Symptom::PastEdgeOfStability;
    let tenth = 0.1 * 10f64.ln();
    assert_eq!(
        severity(&thrown(1.1 * tenth), symptom),
        Some(Severity::Warning)
    );
    assert_eq!(
        severity(&thrown(0.9 * tenth), symptom),
        Some(Severity::Note)
    );
    // Smaller batches first, unless they are small already.
    let first = |facts: Facts| facts.diagnose().find(symptom).unwrap().remedies[0];
    let batches = Remedy::BatchSize { factor: 0.25 };
    assert_eq!(first(thrown(1.1 * tenth)), batches);
    assert_eq!(first(thrown(1.1 * tenth).with_batch_size(33)), batches);
    let rate = first(thrown(1.1 * tenth).with_batch_size(32));
    assert!(matches!(rate, Remedy::LearningRate { .. }), "{rate:?}");
}

#[test]
fn layers_whose_curvatures_differ_a_thousand_times_are_unbalanced() {
    let layers = |ratio: f64| {
        let facts = with(healthy(), "curvature/lambda_1/a", &[(0, 20.0)]);
        with(facts, "curvature/lambda_1/b", &[(0, 20.0 / ratio)])
    };
    let symptom = Symptom::IllConditionedCurvature;
    assert!(!has(&layers(999.0), symptom));
    assert_eq!(severity(&layers(1001.0), symptom), Some(Severity::Note));
}

#[test]
fn layers_scaled_against_each_other_are_unbalanced_and_no_vanishing_gradient() {
    // One layer's weights by α and the next one's by 1/α: gradients move the other way.
    let scaled = |alpha: f64| {
        let facts = at_chance(settings());
        let facts = with(facts, "gradient/layer/first", &[(0, 1.0 / alpha)]);
        let facts = with(facts, "gradient/layer/second", &[(0, alpha)]);
        let facts = with(facts, "weights/first/spectral_norm", &[(0, 2.0 * alpha)]);
        with(facts, "weights/second/spectral_norm", &[(0, 2.0 / alpha)])
    };
    // α² = √1,000.
    let edge = 1000f64.powf(0.25);
    for alpha in [edge * ABOVE, 100.0, 1e-2] {
        let facts = scaled(alpha);
        assert_eq!(
            severity(&facts, Symptom::IllConditionedCurvature),
            Some(Severity::Problem)
        );
        assert!(!has(&facts, Symptom::VanishingGradients));
        assert!(!has(&facts, Symptom::ExplodingGradients));
    }
    assert!(!has(
        &scaled(edge * BELOW),
        Symptom::IllConditionedCurvature
    ));
}

#[test]
fn loss_that_falls_slowly_at_the_edge_is_ill_conditioned() {
    let slow = |ratio: f64| {
        let facts = losing(settings(), |part| 2.3 - 0.6 * part);
        let facts = sound_gradients(facts);
        with(facts, "stability/sharpness_ratio", &[(500, ratio)])
    };
    let symptom = Symptom::IllConditionedCurvature;
    assert_eq!(severity(&slow(0.6), symptom), Some(Severity::Warning));
    assert_eq!(severity(&slow(0.4), symptom), None);
}

#[test]
fn saddle_needs_a_negative_eigenvalue_beyond_its_residual() {
    let critical = |smallest: f64| {
        let facts = with(
            at_chance(settings()),
            "gradient/norm",
            &[(0, 1.0), (STEPS, 1e-6)],
        );
        let facts = with(facts, "curvature/lambda_1", &[(STEPS, 3.0)]);
        let facts = with(
            facts,
            "curvature_check/lambda_min_residual",
            &[(STEPS, 0.1)],
        );
        with(facts, "curvature/lambda_min", &[(STEPS, smallest)])
    };
    let confidence = |smallest| {
        let found = critical(smallest).diagnose();
        found.find(Symptom::SaddleOrFlat).unwrap().confidence
    };
    assert_eq!(confidence(-0.1 * ABOVE), Confidence::Sure);
    assert_eq!(confidence(-0.1 * BELOW), Confidence::Possible);
    // At a low loss the same numbers are a minimum.
    let facts = with(learning(settings()), "gradient/norm", &[(STEPS, 1e-6)]);
    assert!(!has(&facts, Symptom::SaddleOrFlat));
}

/// Independent gradients of mean 0 have a noise scale of their number on average.
#[test]
fn saddle_is_where_the_examples_cannot_tell_the_gradient_from_zero() {
    let critical = |scale: f64, facts: Facts| {
        let facts = with(facts, "gradient/norm", &[(0, 1.0), (STEPS, 0.9)]);
        let facts = with(facts, "curvature/lambda_min", &[(STEPS, -0.3)]);
        with(facts, "gradient/noise_scale", &[(STEPS, scale)])
    };
    let third = 1024.0 / 3.0;
    assert!(has(
        &critical(third * ABOVE, at_chance(settings())),
        Symptom::SaddleOrFlat
    ));
    assert!(!has(
        &critical(third * BELOW, at_chance(settings())),
        Symptom::SaddleOrFlat
    ));
    // Labels at random give such gradients too, and are found first.
    let labels = with(
        critical(third * ABOVE, at_chance(settings())),
        "loss/valid",
        &[(0, 2.31), (STEPS, 2.32)],
    );
    assert!(has(&labels, Symptom::UnfittableLabels));
    assert!(!has(&labels, Symptom::SaddleOrFlat));
    assert!(!has(
        &critical(third * ABOVE, learning(settings())),
        Symptom::SaddleOrFlat
    ));
}

fn line(loss: &[f64]) -> Record {
    let a: Vec<f64> = (0..loss.len()).map(|i| i as f64).collect();
    Record {
        tag: "landscape/line_data".to_owned(),
        step: STEPS,
        value: Value::Data(show::line_data("a line", 1, &a, &[("training", loss)])),
    }
}

#[test]
fn hills_beyond_one_valley_make_a_landscape_chaotic() {
    let found = |loss: &[f64]| {
        let mut facts = at_chance(settings());
        facts.observe(&line(loss));
        facts.diagnose()
    };
    let chaotic = |loss: &[f64]| found(loss).find(Symptom::ChaoticLandscape).is_some();
    // Three valleys with hills of 0.3 between: an excess of 4 · 0.3 over a range of 1.
    let hills = [1.0, 0.0, 0.3, 0.0, 0.3, 0.0, 1.0];
    assert!(chaotic(&hills));
    let finding = found(&hills);
    let finding = finding.find(Symptom::ChaoticLandscape).unwrap();
    assert!((finding.evidence[0].value - 1.2).abs() < 1e-12);
    // Hills of 0.1: 0.4.
    assert!(!chaotic(&[1.0, 0.0, 0.1, 0.0, 0.1, 0.0, 1.0]));
    // Two valleys, however deep, are not many.
    assert!(!chaotic(&[1.0, 0.0, 0.9, 0.0, 1.0]));
    assert!(!chaotic(&[4.0, 1.0, 0.0, 1.0, 4.0]));
    // A thousandth of the loss is rounding.
    let flat = hills.map(|loss| 2.3 + 2e-3 * loss);
    assert!(!chaotic(&flat));
    assert!(!chaotic(&[f64::NAN; 5]));
}

#[test]
fn sharp_minimum_is_a_note_from_half_of_the_likelihood_on() {
    // ½ λ ρ² = ln 2 at ρ = 0.05.
    let edge = 2.0 * std::f64::consts::LN_2 / (0.05 * 0.05);
    let sharp = |lambda: f64| with(healthy(), "curvature/lambda_1", &[(STEPS + 1, lambda)]);
    assert!(!has(&sharp(edge * BELOW), Symptom::SharpMinimum));
    assert_eq!(
        severity(&sharp(edge * ABOVE), Symptom::SharpMinimum),
        Some(Severity::Note)
    );
}

#[test]
fn seeds_of_which_some_fail_are_inconsistent() {
    let good = healthy;
    let bad = || at_chance(settings());
    let fails = Diagnosis::of_runs(&[good(), bad(), good()]);
    assert_eq!(fails.findings[0].symptom, Symptom::ChaoticLandscape);
    assert_eq!(fails.findings[0].severity, Severity::Problem);
    for same in [[good(), good()], [bad(), bad()]] {
        assert_eq!(Diagnosis::of_runs(&same).findings, []);
    }
    assert_eq!(Diagnosis::of_runs(&[good()]).not_looked_at.len(), 1);
    assert_eq!(Diagnosis::of_runs(&[]).findings, []);
}

#[test]
fn accuracies_of_seeds_are_tested_by_chi_squared() {
    // Two seeds: Σ (a − ā)² n / (ā (1 − ā)) = ½ d² n / (ā (1 − ā)), and the 99.9 % quantile with
    // one degree of freedom is 10.83 by the tables.
    let difference = |statistic: f64| (2.0 * statistic * 0.9 * 0.1 / 300.0_f64).sqrt();
    let found = |statistic: f64| {
        let half = 0.5 * difference(statistic);
        let run = |accuracy| with(healthy(), "accuracy/valid", &[(STEPS + 1, accuracy)]);
        Diagnosis::of_runs(&[run(0.9 - half), run(0.9 + half)]).findings
    };
    assert_eq!(found(10.5), []);
    // The approximation of the quantile is 3 % too high.
    let finding = &found(11.3)[0];
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(finding.level, Some(0.001));
}
