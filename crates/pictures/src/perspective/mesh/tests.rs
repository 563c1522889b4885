//! The order, the cut and the light of the cells.

use super::super::config::Camera;
use super::*;

/// Tells whether a point lies in a polygon, by the number of sides to its right.
fn holds(outline: &[Point], (x, y): Point) -> bool {
    let sides = (0..outline.len()).map(|k| (outline[k], outline[(k + 1) % outline.len()]));
    let crossed = sides
        .filter(|(p, q)| (p.1 > y) != (q.1 > y) && x < p.0 + (y - p.1) / (q.1 - p.1) * (q.0 - p.0));
    crossed.count() % 2 == 1
}

/// The distance along a ray at which it enters the ground below a cell.
fn entry(eye: Place, direction: Place, cell: [[f64; 2]; 2]) -> f64 {
    let enter = [0, 1].map(|k| {
        let ends = cell[k].map(|side| (side - eye[k]) / direction[k]);
        ends[0].min(ends[1])
    });
    enter[0].max(enter[1]).max(0.0)
}

fn field(n: usize, f: impl Fn(f64, f64) -> f64) -> UnitField {
    let side: Vec<f64> = (0..n).map(|i| i as f64 / (n - 1) as f64).collect();
    let values = side
        .iter()
        .flat_map(|x| side.iter().map(|y| f(*x, *y)).collect::<Vec<f64>>());
    UnitField {
        values: values.collect(),
        a: side.clone(),
        b: side,
    }
}

#[test]
fn what_is_drawn_last_at_a_pixel_is_what_its_ray_meets_first() {
    // Steep waves, which hide each other from low cameras on all sides.
    let waves = field(23, |x, y| {
        0.5 + 0.5 * (9.0 * x + 2.0 * y).sin() * (11.0 * y).cos()
    });
    let mesh = Mesh::new(&waves, 0.2, 0);
    let mut hidden = 0;
    for azimuth in [-60.0, -90.0, 10.0, 95.0, 200.0] {
        for elevation in [6.0, 30.0, 80.0] {
            let mut view = View::new(Camera { azimuth, elevation });
            view.scale = 200.0;
            let (cells, eye) = (mesh.cells(&view), view.eye());
            for k in 0..400 {
                let at = (
                    f64::from(k % 20) * 26.0 - 247.3,
                    f64::from(k / 20) * 18.0 - 171.1,
                );
                let met: Vec<[usize; 2]> = cells
                    .iter()
                    .filter(|(_, cell)| holds(&cell.outline, at))
                    .map(|(index, _)| *index)
                    .collect();
                let Some(top) = met.last() else { continue };
                let through = view.place_behind(at);
                let direction = [0, 1, 2].map(|k| through[k] - eye[k]);
                let distance = |[i, j]: [usize; 2]| {
                    let sides =
                        [(0, i), (1, j)].map(|(k, i)| [mesh.sides[k][i], mesh.sides[k][i + 1]]);
                    entry(eye, direction, sides)
                };
                let nearest = met
                    .iter()
                    .map(|index| distance(*index))
                    .fold(f64::INFINITY, f64::min);
                assert!(
                    distance(*top) <= nearest + 1e-9,
                    "{azimuth} {elevation} {at:?}"
                );
                hidden += met.len() - 1;
            }
        }
    }
    // There was something to hide.
    assert!(hidden > 500, "{hidden}");
}

#[test]
fn a_cell_is_cut_where_it_crosses_the_height() {
    let ramp = [
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 2.0],
        [1.0, 1.0, 2.0],
        [0.0, 1.0, 0.0],
    ];
    let expected = [
        [0.0, 0.0, 0.0],
        [0.5, 0.0, 1.0],
        [0.5, 1.0, 1.0],
        [0.0, 1.0, 0.0],
    ];
    assert_eq!(cut_below(&ramp, 1.0), expected);
    assert_eq!(cut_below(&ramp, 2.0), ramp);
    assert!(cut_below(&ramp, -1.0).is_empty());
    assert_eq!(
        cut_line([ramp[0], ramp[1]], 1.0),
        Some([expected[0], expected[1]])
    );
    assert_eq!(cut_line([ramp[1], ramp[2]], 1.0), None);
}

#[test]
fn cells_around_a_missing_value_are_left_out_and_no_others() {
    let plane = |x: f64, y: f64| f64::midpoint(x, y);
    let whole = field(9, plane);
    let is_hole = |x: f64, y: f64| x == 0.5 && y == 0.25;
    let hole = field(9, |x, y| if is_hole(x, y) { f64::NAN } else { plane(x, y) });
    let view = View::new(Camera::default());
    let count = |field: &UnitField| Mesh::new(field, 0.2, 5).cells(&view).len();
    // Each cell of eight a side is divided into eight by eight.
    assert_eq!(count(&whole), 64 * 64);
    assert_eq!(count(&hole), count(&whole) - 4 * 8 * 8);
}

#[test]
fn a_plane_has_one_normal_and_a_coarse_grid_keeps_its_points() {
    let plane = field(7, |x, y| 0.5 * x + 0.25 * y);
    let mesh = Mesh::new(&plane, 0.0, 0);
    // Heights in the box: HEIGHT times the value, over sides of two.
    let expected = unit([-0.25 * HEIGHT, -0.125 * HEIGHT, 1.0]);
    for normal in &mesh.normals {
        assert!(
            (0..3).all(|k| (normal[k] - expected[k]).abs() < 1e-9),
            "{normal:?}"
        );
    }
    let last = mesh.place((mesh.sides[0].len() - 1, mesh.sides[1].len() - 1));
    assert!((0..3).all(|k| (last[k] - [1.0, 1.0, 0.75 * HEIGHT][k]).abs() < 1e-12));
}

#[test]
fn a_large_grid_is_thinned_and_keeps_its_ends() {
    for count in [2, 51, 101, 102, 501] {
        let kept = kept(count);
        assert!(kept.len() <= MOST_CELLS + 1);
        assert_eq!((kept[0], kept[kept.len() - 1]), (0, count - 1));
        assert!(count > 101 || kept.len() == count);
    }
}

#[test]
fn light_from_above_brightens_what_faces_it_and_the_lower_side_is_darker() {
    let view = View::new(Camera::default());
    let (light, sight) = (view.light(), unit(view.eye()));
    let color = [100, 150, 120];
    let toward = shaded(color, light, sight, light);
    let away = shaded(color, unit([light[1], -light[0], 0.1]), sight, light);
    assert!(toward[1] > color[1] && away[1] < color[1]);
    let up = shaded(color, [0.0, 0.0, 1.0], sight, light);
    let under = shaded(
        color,
        [0.0, 0.0, 1.0],
        [sight[0], sight[1], -sight[2]],
        light,
    );
    assert!(under[1] < up[1]);
}
