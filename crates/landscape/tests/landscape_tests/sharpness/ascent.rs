//! Projected ascent beside the exact maximum of a quadratic in a ball.

use landscape::download;
use landscape::sharpness::{AscentConfig, Ball, ProjectedAscent, Scale, projected_ascent};

use super::{Known, dot, numbers, point, quadratic};

/// The largest `b'y + y'Λy/2` over `‖y‖ ≤ ρ`, by the secular equation: y = (μ - Λ)^-1 b with the
/// multiplier μ ≥ max(0, λ_max) at which `‖y‖ = ρ`, if there is one; otherwise μ is that bound, and
/// what is missing of ρ goes along the top eigenvector (the hard case), or the maximum is inside.
fn exact_maximum(values: &[f64], b: &[f64], rho: f64) -> f64 {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let y = |mu: f64| -> Vec<f64> {
        let terms = values.iter().zip(b);
        terms
            .map(|(value, b)| if *b == 0.0 { 0.0 } else { b / (mu - value) })
            .collect()
    };
    let rise = |y: &[f64]| -> f64 {
        let quadratic: f64 = values.iter().zip(y).map(|(value, y)| value * y * y).sum();
        dot(b, y) + 0.5 * quadratic
    };
    let length = |mu: f64| dot(&y(mu), &y(mu)).sqrt();
    let least = top.max(0.0);
    // The sum has no term with a zero divisor unless b has a part at the top.
    if length(least).is_finite() && length(least) <= rho {
        let inside = y(least);
        if top < 0.0 {
            return rise(&inside);
        }
        let missing = rho * rho - dot(&inside, &inside);
        return rise(&inside) + 0.5 * top * missing;
    }
    let (mut low, mut high) = (least, least + dot(b, b).sqrt() / rho);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if length(middle) > rho {
            low = middle;
        } else {
            high = middle;
        }
    }
    rise(&y(high))
}

fn config() -> AscentConfig {
    AscentConfig::new()
        .with_tolerance(1e-11)
        .with_max_gradients(1000)
}

/// The ascent from the origin on the quadratic with known eigenvectors and the slope of given
/// coefficients, checked to be what it says.
fn climbed(known: &Known, b: &[f64], rho: f64, config: &AscentConfig) -> ProjectedAscent {
    let (h, g) = (known.matrix(), known.combine(b));
    let origin = vec![0.0; g.len()];
    let found = projected_ascent(&point(&origin), &quadratic(&h, &g), &Ball::l2(rho), config)
        .expect("a rise");
    let e = download(&found.displacement);
    let size = dot(&e, &e).sqrt();
    assert!(size <= rho * (1.0 + 1e-12), "{size} in {rho}");
    assert_eq!(found.on_boundary, size > rho * (1.0 - 1e-9));
    let he: Vec<f64> = h.chunks(g.len()).map(|row| dot(row, &e)).collect();
    let rise = dot(&g, &e) + 0.5 * dot(&e, &he);
    assert!((found.value - rise).abs() <= 1e-13 * (1.0 + rise.abs()));
    let starts = config.random_starts + 1;
    assert!(found.gradients <= 1 + starts * config.max_gradients);
    found
}

fn agrees(what: &str, known: &Known, b: &[f64], rho: f64) {
    let found = climbed(known, b, rho, &config());
    let expected = exact_maximum(&known.values, b, rho);
    let error = (found.value - expected).abs() / expected;
    assert!(
        error < 1e-6 && found.converged,
        "{what}, rho {rho}: {} where {expected} is the maximum, {} gradients, gap {:.1e}, {:?}",
        found.value,
        found.gradients,
        found.gap,
        found.starts
    );
}

#[test]
fn ascent_reaches_the_trust_region_maximum_of_any_quadratic() {
    let spectra: [(&str, &[f64]); 7] = [
        ("convex", &[5.0, 3.0, 1.0, 0.5, 0.2, 0.1]),
        ("indefinite", &[2.0, 1.0, 0.1, -0.5, -1.0, -4.0]),
        ("mostly negative", &[0.3, -1.0, -2.0, -5.0, -8.0, -20.0]),
        ("negative definite", &[-0.1, -0.5, -1.0, -2.0, -3.0, -10.0]),
        ("graded", &[100.0, 10.0, 1.0, 0.1, 0.01, 1e-3]),
        ("repeated top", &[3.0, 3.0, 3.0, 1.0, -1.0, -2.0]),
        ("close pair", &[1.0, 0.999, 0.5, 0.0, -0.5, -0.99]),
    ];
    for (what, values) in spectra {
        for seed in 0..3 {
            let known = Known::new(values, seed);
            let b = numbers(6, seed + 11);
            for rho in [0.01, 0.3, 3.0] {
                agrees(what, &known, &b, rho);
            }
        }
    }
}

#[test]
fn ascent_reaches_the_maximum_in_the_hard_case() {
    // No slope along the top eigenvector, nor at all.
    for (values, b) in [
        ([2.0, 1.0, -1.0, -3.0], [0.0, 0.1, 0.3, -0.2]),
        ([2.0, 1.5, 1.0, 0.5], [0.0, 0.01, 0.02, 0.03]),
        ([0.5, -1.0, -1.0, -3.0], [0.0, 0.4, -0.3, 0.2]),
        ([2.0, 1.0, -1.0, -3.0], [0.0, 0.0, 0.0, 0.0]),
    ] {
        for rho in [0.2, 1.0, 4.0] {
            agrees("hard case", &Known::new(&values, 4), &b, rho);
        }
    }
}

#[test]
fn maximum_inside_the_ball_is_found_and_not_on_the_boundary() {
    let known = Known::new(&[-1.0, -2.0, -4.0], 1);
    let b = [0.1, -0.3, 0.2];
    let found = climbed(&known, &b, 2.0, &config());
    // b'(-Λ)^-1 b / 2.
    let expected = 0.5 * (0.01 / 1.0 + 0.09 / 2.0 + 0.04 / 4.0);
    assert!((found.value - expected).abs() < 1e-9);
    assert!(found.converged && !found.on_boundary && found.gap < 1e-10);
}

#[test]
fn loss_that_falls_to_all_sides_rises_by_nothing() {
    let known = Known::new(&[-1.0, -2.0, -4.0], 1);
    let found = climbed(&known, &[0.0; 3], 2.0, &config());
    assert!(found.value < 1e-20 && found.value >= 0.0, "{}", found.value);
    let flat = climbed(&Known::new(&[0.0; 3], 1), &[0.0; 3], 2.0, &config());
    assert!(flat.value == 0.0 && flat.converged);
}

#[test]
fn ascent_in_a_box_finds_the_best_corner_of_convex_quadratics() {
    let dim = 6_u32;
    for seed in 0..4 {
        let known = Known::new(&[4.0, 2.0, 1.0, 0.5, 0.3, 0.1], seed);
        let (h, g) = (known.matrix(), numbers(6, seed));
        let rise = |e: &[f64]| {
            let he: Vec<f64> = h.chunks(6).map(|row| dot(row, e)).collect();
            dot(&g, e) + 0.5 * dot(e, &he)
        };
        for rho in [0.1, 1.0] {
            // A convex function has its maximum over a box in a corner.
            let corners = (0..1_u32 << dim).map(|signs| {
                let corner: Vec<f64> = (0..dim)
                    .map(|i| if signs >> i & 1 == 0 { rho } else { -rho })
                    .collect();
                rise(&corner)
            });
            let best = corners.fold(f64::NEG_INFINITY, f64::max);
            let risk = quadratic(&h, &g);
            let climb = |random_starts| {
                let config = config().with_random_starts(random_starts);
                projected_ascent(&point(&[0.0; 6]), &risk, &Ball::l_inf(rho), &config).unwrap()
            };
            let found = climb(20);
            assert!(
                (found.value - best).abs() < 1e-12 * best && found.converged,
                "{} {best}",
                found.value
            );
            assert!(found.gap.abs() < 1e-12 && found.on_boundary);
            // With one start it is a lower bound.
            assert!(climb(0).value <= best * (1.0 + 1e-12));
        }
    }
}

#[test]
fn ascent_in_a_box_finds_the_maximum_of_concave_quadratics() {
    // A diagonal matrix: each coordinate by itself.
    let (values, g, rho) = ([-1.0, -4.0, -0.5], [0.3, 1.0, 2.0], 0.5);
    let mut h = [0.0; 9];
    for i in 0..3 {
        h[4 * i] = values[i];
    }
    let expected: f64 = values
        .iter()
        .zip(g)
        .map(|(value, g): (&f64, f64)| {
            let e = (-g / value).clamp(-rho, rho);
            g * e + 0.5 * value * e * e
        })
        .sum();
    let risk = quadratic(&h, &g);
    let found = projected_ascent(&point(&[0.0; 3]), &risk, &Ball::l_inf(rho), &config()).unwrap();
    assert!((found.value - expected).abs() < 1e-10 && found.converged);
}

#[test]
fn adaptive_ascent_is_that_of_the_scaled_quadratic() {
    // In u, where e = T u, the slope is T g and the matrix T H T.
    let known = Known::new(&[3.0, 1.0, -0.5, -2.0], 3);
    let (h, g, x) = (known.matrix(), [0.1, 0.4, -0.2, 0.3], [0.5, -2.0, 0.0, 1.5]);
    let slope: Vec<f64> = h
        .chunks(4)
        .zip(g)
        .map(|(row, g)| g + dot(row, &x))
        .collect();
    let ball = Ball::l2(0.4).with_scale(Scale::INVARIANT);
    let found = projected_ascent(&point(&x), &quadratic(&h, &g), &ball, &config()).unwrap();
    let t: Vec<f64> = x.iter().map(|x: &f64| x.abs()).collect();
    let scaled: Vec<f64> = (0..16).map(|k| t[k / 4] * h[k] * t[k % 4]).collect();
    let slope: Vec<f64> = slope.iter().zip(&t).map(|(g, t)| g * t).collect();
    let plain = projected_ascent(
        &point(&[0.0; 4]),
        &quadratic(&scaled, &slope),
        &Ball::l2(0.4),
        &config(),
    )
    .unwrap();
    assert!(
        (found.value - plain.value).abs() < 1e-10,
        "{} {}",
        found.value,
        plain.value
    );
    let e = download(&found.displacement);
    // A weight of zero does not move where T = |w|.
    assert_eq!(e[2], 0.0);
    let u = download(&plain.displacement);
    let size: f64 = (0..4).map(|i| (e[i] - t[i] * u[i]).abs()).sum();
    assert!(size < 1e-4, "{e:?} {u:?}");
}

#[test]
fn few_gradients_give_a_lower_bound_that_says_so() {
    let known = Known::new(&[1.0, 0.99, 0.98, 0.5, -1.0, -2.0], 2);
    let b = [1e-3, 0.2, -0.1, 0.3, 0.1, 0.2];
    let few = climbed(&known, &b, 1.0, &AscentConfig::new().with_max_gradients(2));
    assert!(!few.converged);
    let most = exact_maximum(&known.values, &b, 1.0);
    assert!(few.value < most && few.value > 0.0);
    assert_eq!(few.starts.len(), 4);
    let whole = climbed(&known, &b, 1.0, &config());
    assert!(whole.gradients < 1000, "{}", whole.gradients);
}

#[test]
fn ascent_is_a_function_of_its_seed() {
    let known = Known::new(&[2.0, 1.0, -1.0], 2);
    let b = [0.0, 0.1, 0.2];
    let once = climbed(&known, &b, 1.0, &config());
    let again = climbed(&known, &b, 1.0, &config());
    assert_eq!(once.starts, again.starts);
    let other = climbed(&known, &b, 1.0, &config().with_seed(1));
    assert_ne!(once.starts, other.starts);
    assert!((once.value - other.value).abs() < 1e-9);
}
