//! Sentences about constructed groups, whose differences are plain to see.

use super::sentence;
use crate::comparison::group::Group;
use crate::report::number::Number;
use crate::results::summary::{Eigenvalue, Figures, Sharpness, TraceFigure};

/// Figures of one training: λ₁, trace, sharpness, test loss and test accuracy; the errors are
/// small.
fn figures([lambda, trace, sharpness, loss, accuracy]: [f64; 5]) -> Figures {
    let number = Number;
    Figures {
        training_loss: number(0.01),
        training_accuracy: Some(number(1.0)),
        validation_loss: number(loss),
        validation_accuracy: Some(number(accuracy)),
        test_loss: number(loss),
        test_accuracy: Some(number(accuracy)),
        lambda_1: Some(Eigenvalue {
            value: number(lambda),
            residual: number(1e-6),
            converged: true,
        }),
        trace: Some(TraceFigure {
            value: number(trace),
            standard_error: number(0.05),
        }),
        sam_sharpness: Some(Sharpness {
            value: number(sharpness),
            rho: number(0.05),
        }),
    }
}

fn group(name: &str, seeds: &[u32], all: &[[f64; 5]]) -> Group {
    assert_eq!(seeds.len(), all.len());
    Group {
        name: name.to_owned(),
        seeds: seeds.to_vec(),
        figures: all.iter().map(|one| figures(*one)).collect(),
        diverged: 0,
        in_doubt: false,
    }
}

const THREE: &[u32] = &[1, 2, 3];

/// Sharp, with a test loss that goes up and down with the seed.
fn sgd() -> Group {
    let all = [
        [1.00, 5.0, 6.0e-4, 0.10, 0.96],
        [1.10, 5.5, 6.5e-4, 0.14, 0.95],
        [0.95, 5.2, 6.2e-4, 0.12, 0.97],
    ];
    group("sgd", THREE, &all)
}

/// A third as sharp in every seed; its test loss is above that of sgd in one seed and below in the
/// others.
fn sam() -> Group {
    let all = [
        [0.30, 2.0, 3.0e-4, 0.11, 0.95],
        [0.35, 2.2, 3.3e-4, 0.12, 0.97],
        [0.31, 2.1, 3.1e-4, 0.115, 0.97],
    ];
    group("sam", THREE, &all)
}

#[track_caller]
fn says(groups: &[Group], expected: &str) {
    assert_eq!(sentence(groups).unwrap(), expected);
}

#[test]
fn flatter_by_all_and_test_within_the_spread() {
    says(
        &[sgd(), sam()],
        "sam is flatter than sgd by lambda_1, trace and SAM sharpness; the differences in test loss and test accuracy lie \
         within the spread of 3 seeds.",
    );
}

#[test]
fn order_of_the_groups_changes_nothing() {
    assert_eq!(sentence(&[sgd(), sam()]), sentence(&[sam(), sgd()]));
}

#[test]
fn difference_that_is_the_same_in_every_seed_is_told_though_seeds_differ_more() {
    // By seed, the loss is lower by 0.010, 0.011 and 0.012: t = 0.011 / (0.001 / √3) = 19; the
    // seeds spread over 0.04.
    let mut better = sam();
    for (figures, (loss, lower)) in
        better
            .figures
            .iter_mut()
            .zip([(0.10, 0.010), (0.14, 0.011), (0.12, 0.012)])
    {
        figures.test_loss = Number(loss - lower);
    }
    // 0.011 ± 4.302653 × 0.001 / √3 = 0.011 ± 0.00248
    says(
        &[sgd(), better.clone()],
        "sam is flatter than sgd by lambda_1, trace and SAM sharpness; the test loss of sam is lower by 0.011 (95 % interval \
         0.0085 to 0.013, 3 seeds); the difference in test accuracy lies within the spread of 3 seeds.",
    );
    // With other seeds nothing is paired, and the spread of 0.02 hides a difference of 0.011.
    better.seeds = vec![7, 8, 9];
    says(
        &[sgd(), better],
        "sam is flatter than sgd by lambda_1, trace and SAM sharpness; the differences in test loss and test accuracy lie \
         within the spread of 3 seeds each, unpaired.",
    );
}

#[test]
fn accuracy_that_is_higher_is_better() {
    let mut better = sam();
    for (figures, accuracy) in better.figures.iter_mut().zip([0.97, 0.961, 0.981]) {
        figures.test_accuracy = Some(Number(accuracy));
    }
    let said = sentence(&[sgd(), better]).unwrap();
    assert!(
        said.contains("the test accuracy of sam is higher by 0.011"),
        "{said}"
    );
}

#[test]
fn measures_that_disagree_are_each_said() {
    let mut mixed = sam();
    for (figures, trace) in mixed.figures.iter_mut().zip([8.0, 8.3, 8.1]) {
        figures.trace.as_mut().unwrap().value = Number(trace);
    }
    for (figures, sharpness) in mixed.figures.iter_mut().zip([5.0e-4, 7.5e-4, 6.2e-4]) {
        figures.sam_sharpness.as_mut().unwrap().value = Number(sharpness);
    }
    says(
        &[sgd(), mixed],
        "sam is flatter than sgd by lambda_1; sgd is flatter than sam by trace; by SAM sharpness sgd and sam are not told apart; \
         the differences in test loss and test accuracy lie within the spread of 3 seeds.",
    );
}

#[test]
fn nothing_is_told_apart_from_itself() {
    let mut same = sgd();
    same.name = "again".to_owned();
    says(
        &[sgd(), same],
        "By lambda_1, trace or SAM sharpness sgd and again are not told apart; the differences in test loss and test accuracy \
         lie within the spread of 3 seeds.",
    );
}

fn first_seed(group: &Group) -> Group {
    Group {
        seeds: vec![1],
        figures: vec![group.figures[0]],
        ..group.clone()
    }
}

const ONE_SEED: &str = "one seed says nothing about a typical difference, neither in sharpness nor in test loss or accuracy \
                        (--seeds 5 trains five).";

#[test]
fn one_seed_is_said_to_be_one() {
    says(
        &[first_seed(&sgd()), first_seed(&sam())],
        &format!(
            "With this one seed, sam is flatter than sgd by lambda_1, trace and SAM sharpness; {ONE_SEED}"
        ),
    );
    let mut other = first_seed(&sam());
    other.seeds = vec![2];
    let said = sentence(&[first_seed(&sgd()), other]).unwrap();
    assert!(
        said.starts_with("With one seed each, sam is flatter"),
        "{said}"
    );
    let said = sentence(&[sgd(), first_seed(&sam())]).unwrap();
    assert!(
        said.starts_with("With one seed only, sam is flatter"),
        "{said}"
    );
    assert!(said.ends_with(ONE_SEED), "{said}");
}

#[test]
fn one_seed_tells_curvatures_apart_by_their_errors_only() {
    let (a, mut b) = (first_seed(&sgd()), first_seed(&sgd()));
    b.name = "other".to_owned();
    // λ₁ 0.1 apart, known to 0.06 each; traces 0.5 apart, 1.96 √(0.05² + 0.3²) = 0.596.
    b.figures[0].lambda_1.as_mut().unwrap().value = Number(0.9);
    let mut a = a;
    for group in [&mut a, &mut b] {
        group.figures[0].lambda_1.as_mut().unwrap().residual = Number(0.06);
    }
    b.figures[0].trace.as_mut().unwrap().value = Number(4.5);
    b.figures[0].trace.as_mut().unwrap().standard_error = Number(0.3);
    let said = sentence(&[a.clone(), b.clone()]).unwrap();
    assert!(
        said.starts_with(
            "With this one seed, by lambda_1, trace or SAM sharpness sgd and other are not told apart;"
        ),
        "{said}"
    );
    for group in [&mut a, &mut b] {
        group.figures[0].lambda_1.as_mut().unwrap().residual = Number(0.04);
    }
    // 1.96 √(0.05² + 0.2²) = 0.404
    b.figures[0].trace.as_mut().unwrap().standard_error = Number(0.2);
    let said = sentence(&[a, b]).unwrap();
    assert!(
        said.starts_with(
            "With this one seed, other is flatter than sgd by lambda_1 and trace; by SAM"
        ),
        "{said}"
    );
}

#[test]
fn residuals_widen_the_interval_over_seeds() {
    let (mut a, mut b) = (sgd(), sam());
    for figures in a.figures.iter_mut().chain(&mut b.figures) {
        // The means are 0.70 apart.
        figures.lambda_1.as_mut().unwrap().residual = Number(0.4);
    }
    let said = sentence(&[a, b]).unwrap();
    assert!(
        said.starts_with(
            "By lambda_1 sgd and sam are not told apart; sam is flatter than sgd by trace and SAM sharpness;"
        ),
        "{said}"
    );
}

#[test]
fn training_that_diverged_is_not_left_out() {
    let mut broken = sam();
    broken.diverged = 2;
    says(
        &[sgd(), broken.clone()],
        "2 of 3 trainings of sam diverged, so nothing is said of it; there is nothing to compare sgd with.",
    );
    let mut third = sam();
    third.name = "asam".to_owned();
    says(
        &[sgd(), broken, third],
        "asam is flatter than sgd by lambda_1, trace and SAM sharpness; the differences in test loss and test accuracy lie within \
         the spread of 3 seeds; 2 of 3 trainings of sam diverged, so nothing is said of it.",
    );
    let mut single = first_seed(&sam());
    single.diverged = 1;
    says(
        &[first_seed(&sgd()), single],
        "sam diverged, so nothing is said of it; there is nothing to compare sgd with.",
    );
}

#[test]
fn figures_that_say_nothing_are_not_compared() {
    let mut unmeasured = sam();
    unmeasured.figures[1].trace.as_mut().unwrap().value = Number(f64::NAN);
    says(
        &[sgd(), unmeasured],
        "sam is flatter than sgd by lambda_1 and SAM sharpness; trace was not measured in every run; the differences in test \
         loss and test accuracy lie within the spread of 3 seeds.",
    );
    let mut doubtful = sam();
    doubtful.in_doubt = true;
    let said = sentence(&[sgd(), doubtful]).unwrap();
    assert!(
        said.starts_with(
            "lambda_1 and trace are in doubt, close to a kink of the loss; sam is flatter than sgd by SAM sharpness;"
        ),
        "{said}"
    );
    let mut wider = sam();
    for figures in &mut wider.figures {
        figures.sam_sharpness.as_mut().unwrap().rho = Number(0.1);
    }
    let said = sentence(&[sgd(), wider]).unwrap();
    assert!(
        said.contains("; SAM sharpness was measured with different radii;"),
        "{said}"
    );
}

#[test]
fn of_three_the_flattest_is_said_or_those_that_are() {
    let mut between = sam();
    between.name = "asam".to_owned();
    // λ₁ clearly between, the trace as that of sam, the sharpness far below.
    for (figures, [lambda, trace, sharpness]) in between.figures.iter_mut().zip([
        [0.60, 2.1, 1.0e-4],
        [0.62, 2.15, 1.1e-4],
        [0.61, 2.0, 1.05e-4],
    ]) {
        figures.lambda_1.as_mut().unwrap().value = Number(lambda);
        figures.trace.as_mut().unwrap().value = Number(trace);
        figures.sam_sharpness.as_mut().unwrap().value = Number(sharpness);
    }
    says(
        &[sgd(), sam(), between],
        "sam is the flattest of 3 by lambda_1; by trace asam and sam are the flattest of 3 and not told apart; asam is the flattest \
         of 3 by SAM sharpness; no test loss or accuracy differs from the best by more than the spread of 3 seeds.",
    );
}

#[test]
fn best_loss_and_accuracy_of_one_group_are_said_together() {
    let mut best = sgd();
    best.name = "longer".to_owned();
    for (figures, better) in best.figures.iter_mut().zip([0.05, 0.051, 0.052]) {
        figures.test_loss.0 -= better;
        figures.test_accuracy.as_mut().unwrap().0 += better;
    }
    let mut third = sgd();
    third.name = "again".to_owned();
    let said = sentence(&[sgd(), best, third]).unwrap();
    assert!(
        said.ends_with(
            "; longer has the lowest test loss and the highest test accuracy of 3, by more than the spread of 3 seeds."
        ),
        "{said}"
    );
}

#[test]
fn one_group_is_not_compared() {
    assert_eq!(sentence(&[sgd()]), None);
    assert_eq!(sentence(&[]), None);
}
