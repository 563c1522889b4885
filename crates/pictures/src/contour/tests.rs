//! Contours as their pixels and texts.

use proptest::prelude::*;

use super::*;
use crate::color::viridis;
use crate::drawing::tests::Pixels;
use crate::layout::line_color;

fn config() -> ContourConfig {
    ContourConfig::new("surface")
}

/// Draws f over the product of a and b.
fn drawn(
    a: &[f64],
    b: &[f64],
    config: &ContourConfig,
    f: impl Fn(f64, f64) -> f64,
) -> (Pixels, Frame) {
    let values: Vec<f64> = a.iter().flat_map(|x| b.iter().map(|y| f(*x, *y))).collect();
    let (picture, frame) = draw(&(a, b, &values[..]).into(), config).unwrap();
    (Pixels::of(picture.svg()), frame)
}

/// The colour at the values (x, y).
fn at((pixels, frame): &(Pixels, Frame), x: f64, y: f64) -> [u8; 3] {
    pixels.at(frame.point(x, y))
}

fn of_levels(levels: usize) -> ContourConfig {
    ContourConfig { levels, ..config() }
}

/// Tells whether a colour is a grey of the hatching.
fn is_hatched(color: [u8; 3]) -> bool {
    let [light, dark] = Theme::Light.palette().hatch;
    color.iter().all(|c| *c == color[0]) && (dark[0]..=light[0]).contains(&color[0])
}

fn close(p: [u8; 3], q: [u8; 3]) -> bool {
    p.iter().zip(q).all(|(x, y)| x.abs_diff(y) <= 4)
}

#[test]
fn a_surface_that_rises_along_the_first_direction_gets_lighter_to_the_right() {
    let a = [-1.0, 0.0, 1.0, 2.0, 3.0];
    let b = [10.0, 20.0, 40.0];
    let picture = drawn(&a, &b, &of_levels(2), |x, _| x);
    // No marks or level lines lie at these places: levels are multiples of two.
    for y in [15.0, 25.0, 33.0] {
        assert!(
            close(at(&picture, -0.5, y), viridis(0.125)),
            "{:?}",
            at(&picture, -0.5, y)
        );
        assert!(
            close(at(&picture, 2.7, y), viridis(0.925)),
            "{:?}",
            at(&picture, 2.7, y)
        );
    }
    let picture = drawn(&a, &b, &of_levels(2), |_, y| y);
    for x in [-0.5, 1.5, 2.7] {
        assert!(close(at(&picture, x, 13.0), viridis(0.1)));
        assert!(close(at(&picture, x, 37.0), viridis(0.9)));
    }
}

#[test]
fn the_line_of_a_known_quadratic_crosses_the_axis_where_it_must() {
    let axis: Vec<f64> = (-50..=50).map(|i| f64::from(i) / 50.0).collect();
    let picture = drawn(
        &axis,
        &axis,
        &ContourConfig {
            scale: AxisScale::Linear,
            width: 1800,
            height: 1350,
            ..of_levels(2)
        },
        |x, y| x * x + y * y,
    );
    // So large that a line is several pixels wide. The only levels inside are multiples of one;
    // x^2 + y^2 = 1 passes through (0.8, 0.6) and (0.6, -0.8).
    for (x, y) in [(0.8, 0.6), (0.6, -0.8), (-0.8, 0.6)] {
        assert!(
            close(at(&picture, x, y), line_color(0.5)),
            "{:?}",
            at(&picture, x, y)
        );
        assert!(close(at(&picture, 0.9 * x, 0.9 * y), viridis(0.405)));
    }
}

#[test]
fn values_that_are_not_finite_are_hatched_where_they_are_and_nowhere_else() {
    let axis: Vec<f64> = (0..9).map(f64::from).collect();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let picture = drawn(&axis, &axis, &config(), |x, y| {
            if (x, y) == (6.0, 2.0) { bad } else { 1.0 + x }
        });
        assert!(is_hatched(at(&picture, 6.0, 2.0)) && is_hatched(at(&picture, 6.4, 1.6)));
        assert!(!is_hatched(at(&picture, 2.0, 6.0)) && !is_hatched(at(&picture, 6.6, 2.0)));
    }
}

#[test]
fn the_same_numbers_give_the_same_bytes() {
    let a = [-1.0, 0.0, 1.0];
    let values: Vec<f64> = a.iter().flat_map(|x| a.map(|y| x * y)).collect();
    let picture = || contour((&a[..], &a[..], &values[..]), "saddle").unwrap();
    assert_eq!(picture().svg(), picture().svg());
    assert_eq!(picture().png().unwrap(), picture().png().unwrap());
}

#[test]
fn a_logarithmic_scale_of_a_negative_surface_is_an_error_and_mistaken_shapes_too() {
    let draw = |a: &[f64], values: &[f64], scale| {
        let config = ContourConfig { scale, ..config() };
        contour_with((a, &[0.0, 1.0][..], values), &config)
    };
    assert!(matches!(
        draw(&[0.0], &[1.0, -1.0], AxisScale::Log),
        Err(Error::NotPositive { value: -1.0, .. })
    ));
    assert!(matches!(
        draw(&[0.0], &[1.0], AxisScale::Auto),
        Err(Error::Length {
            found: 1,
            expected: 2,
            ..
        })
    ));
    assert!(matches!(
        draw(&[], &[], AxisScale::Auto),
        Err(Error::Empty { .. })
    ));
    assert!(matches!(
        draw(&[1.0, 0.0], &[1.0; 4], AxisScale::Auto),
        Err(Error::NotIncreasing { index: 1, .. })
    ));
}

#[test]
fn degenerate_surfaces_are_drawn() {
    for values in [
        [1.0; 4],
        [f64::NAN; 4],
        [f64::MAX, f64::MIN, 0.0, 5e-324],
        [0.1, 0.1, 0.1, 0.1 + 1e-17],
        [0.0, 5e-324, 0.0, 0.0],
    ] {
        let plain = [0.0, 1.0];
        assert!(contour((&plain[..], &plain[..], &values[..]), "degenerate").is_ok());
        let (a, b) = ([1e300], [-1e308, 0.0, 1e-300, 1e308]);
        assert!(contour((&a[..], &b[..], &values[..]), "degenerate").is_ok());
    }
}

#[test]
fn a_surface_of_one_row_is_filled_to_its_ends() {
    let picture = drawn(&[0.0], &[0.0, 1.0, 2.0], &of_levels(2), |_, y| y);
    let frame = &picture.1;
    for u in [0.02, 0.98] {
        let color = picture.0.at(frame.place(u, 0.25));
        assert!(close(color, viridis(0.25)), "{color:?} at {u}");
    }
}

#[test]
fn contour_lines_carry_the_values_of_the_colour_bar() {
    let axis: Vec<f64> = (-25..=25).map(|i| f64::from(i) / 25.0).collect();
    let values: Vec<f64> = axis
        .iter()
        .flat_map(|x| axis.iter().map(move |y| x + 0.2 * y))
        .collect();
    let count = |labels: bool| {
        let config = ContourConfig {
            labels,
            scale: AxisScale::Linear,
            ..of_levels(4)
        };
        let svg = contour_with((&axis[..], &axis[..], &values[..]), &config).unwrap();
        // Once beside the colour bar, and as ticks of no axis.
        svg.svg().matches("rotate(").count()
    };
    // Lines at −1, −0.5, 0, 0.5 and 1, of which all but the outermost are long enough.
    let (with, without) = (count(true), count(false));
    assert!((3..=5).contains(&(with - without)), "{with} {without}");
}

fn track(points: Vec<[f64; 2]>, steps: Vec<u64>) -> Track {
    Track {
        name: "SGD".into(),
        points,
        steps,
    }
}

#[test]
fn a_track_is_drawn_through_its_points_and_cut_at_the_border() {
    let axis = [-1.0, 0.0, 1.0];
    let config = ContourConfig {
        tracks: vec![track(
            vec![[-0.8, 0.5], [0.5, 0.5], [0.5, 3.0], [f64::NAN, 0.0]],
            Vec::new(),
        )],
        ..of_levels(2)
    };
    let values: Vec<f64> = axis.iter().flat_map(|x| axis.map(|y| x + y)).collect();
    let field: Field<'_> = (&axis[..], &axis[..], &values[..]).into();
    let (drawn, frame) = draw(&field, &config).unwrap();
    assert!(drawn.svg().contains("SGD (2 of 4 points outside)"));
    let picture = (Pixels::of(drawn.svg()), frame);
    for (x, y) in [(-0.2, 0.5), (0.2, 0.5), (0.5, 0.75), (0.5, 0.95)] {
        assert_eq!(at(&picture, x, y), track::track_color(0), "{x} {y}");
    }
    // Above the plot, where the line would go on, there is none.
    let (x, top) = picture.1.point(0.5, 1.0);
    assert_eq!(picture.0.at((x, top - 8.0)), Theme::Light.palette().ground);
}

#[test]
fn some_steps_are_written_and_never_over_each_other() {
    let axis = [-1.0, 1.0];
    let points: Vec<[f64; 2]> = (0..200)
        .map(|k| f64::from(k) / 199.0)
        .map(|t| {
            [
                0.9 * (6.0 * t).cos() * (1.0 - t),
                0.9 * (6.0 * t).sin() * (1.0 - t),
            ]
        })
        .collect();
    let config = ContourConfig {
        tracks: vec![track(points, (0..200).map(|k| 1000 + k).collect())],
        labels: false,
        ..config()
    };
    let picture = contour_with((&axis[..], &axis[..], &[0.0; 4][..]), &config).unwrap();
    let written = (1000..1200).filter(|step| picture.svg().contains(&format!(">{step}<")));
    let written: Vec<u64> = written.collect();
    assert!((3..=7).contains(&written.len()), "{written:?}");
    assert!(
        written.contains(&1000) && written.contains(&1199),
        "{written:?}"
    );
}

#[test]
fn marked_points_carry_their_names_and_those_outside_are_left_out() {
    let axis = [-1.0, 1.0];
    let point = |name: &str, at| MarkedPoint {
        name: name.into(),
        at,
    };
    let config = ContourConfig {
        points: vec![
            point("model A", [-0.5, 0.5]),
            point("model B", [2.0, 0.0]),
            point("model C", [f64::NAN, 0.0]),
        ],
        ..config()
    };
    let picture = contour_with((&axis[..], &axis[..], &[0.0; 4][..]), &config).unwrap();
    let has = |name: &str| picture.svg().contains(&format!(">{name}<"));
    assert!(has("model A") && !has("model B") && !has("model C"));
}

#[test]
fn a_track_with_too_few_steps_is_an_error_that_names_it() {
    let axis = [0.0, 1.0];
    let config = ContourConfig {
        tracks: vec![track(vec![[0.0, 0.0], [1.0, 1.0]], vec![5])],
        ..config()
    };
    let refused = contour_with((&axis[..], &axis[..], &[0.0; 4][..]), &config);
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("SGD") && message.contains("has 1 values but 2"),
        "{message}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_surface_gives_a_picture_or_an_error(
        a in prop::collection::btree_set(-5_i32..5, 1..5),
        stretch in prop::sample::select(vec![1e-300, 1e-3, 1.0, 1e300]),
        values in prop::collection::vec(prop_oneof![prop::num::f64::ANY, Just(1.0), 1e-3..1e3_f64], 20),
        m in 1_usize..5,
        log: bool,
        dark: bool,
        track in prop::collection::vec(prop::array::uniform2(prop::num::f64::ANY), 0..6),
    ) {
        let a: Vec<f64> = a.into_iter().map(|x| f64::from(x) * stretch).collect();
        let b: Vec<f64> = (0..m).map(|j| j as f64).collect();
        let scale = if log { AxisScale::Log } else { AxisScale::Auto };
        let values = &values[..a.len() * m];
        let points = track.iter().map(|at| MarkedPoint { name: "A".into(), at: *at }).collect();
        let steps = (0..track.len() as u64).collect();
        let tracks = vec![Track { name: "SGD".into(), points: track, steps }];
        let theme = if dark { Theme::Dark } else { Theme::Light };
        let config = ContourConfig { scale, width: 300, height: 300, theme, tracks, points, ..config() };
        let drawn = contour_with((&a[..], &b[..], values), &config);
        // A logarithmic scale needs positive values; nothing else of these is a mistake.
        let positive = values.iter().all(|v| !v.is_finite() || *v > 0.0);
        prop_assert_eq!(drawn.is_ok(), positive || !log);
        if let Ok(picture) = drawn {
            let read = Picture::from_svg(picture.svg()).unwrap();
            prop_assert_eq!((read.width(), read.height()), (300, 300));
            prop_assert!(picture.png().unwrap().starts_with(b"\x89PNG"));
        }
    }
}
