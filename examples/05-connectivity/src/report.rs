//! The table and the pictures.

use std::fmt::Write;

use anyhow::{Context, Result};
use connectivity::{Data, Path, Paths};
use landscape::direction::{ModelPlane, PlaneBasis, plane_of};
use landscape::slice::linspace;
use landscape::{Grid, plane};
use models::Mlp;
use pictures::{ContourConfig, MarkedPoint, PathProfile, Track, contour_with, path_profiles};

/// Returns a row for each pair of networks and each path.
pub(crate) fn table(pairs: &[Paths]) -> String {
    let mut text = format!(
        "{:14} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}  {}",
        "pair, path", "barrier", "max", "test", "test max", "accuracy", "test", "verdict"
    );
    for (number, pair) in pairs.iter().enumerate() {
        let paths = [
            ("line", &pair.line),
            ("Bezier", &pair.bezier),
            ("aligned line", &pair.aligned),
        ];
        for (name, path) in paths {
            let [training, test] = &path.loss;
            let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
            let _ = write!(
                text,
                "\n{number} {name:12} {:8.4} {:8.4} {:8.4} {:8.4} {:9.3} {:9.3}  {:?}",
                training.barrier,
                training.max,
                test.barrier,
                test.max,
                least(&path.accuracy[0]),
                least(&path.accuracy[1]),
                training.verdict
            );
        }
        let _ = write!(
            text,
            "\n{number} max of the Bezier curve / barrier of the line {:.4}; squared distance {:.1}, aligned {:.1}",
            pair.bezier.loss[0].max / pair.line.loss[0].barrier,
            pair.alignment.squared_distance_before,
            pair.alignment.squared_distance_after
        );
    }
    text
}

/// Draws the paths of one pair on training and test images, and the plane of the trained curve, and
/// returns the files.
pub(crate) fn pictures(ends: &[Mlp; 2], pair: &Paths, data: &Data) -> Result<Vec<String>> {
    const FOLDER: &str = "runs/example-connectivity";
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let mut files = Vec::new();
    let mut save = |name: &str, picture: pictures::Picture| -> Result<()> {
        let file = format!("{FOLDER}/{name}.png");
        std::fs::write(&file, picture.png()?)?;
        files.push(file);
        Ok(())
    };
    for (part, name) in ["training", "test"].into_iter().enumerate() {
        let paths = [
            ("line", &pair.line),
            ("Bezier curve", &pair.bezier),
            ("aligned line", &pair.aligned),
        ];
        let profiles = paths.map(|(name, path)| profile_of(name, path, part));
        let title = format!("Paths between two networks, {name} images");
        save(&format!("paths-{name}"), path_profiles(&profiles, title)?)?;
    }

    // The plane through both networks and the bend: the curve lies in it.
    let [a, b] = ends;
    let through = plane_of([a, b, &pair.curve.bends()[0]], PlaneBasis::Orthonormal)?;
    let [first, second] = &through.directions;
    let grid = grid(&through);
    let directions = [&first.vector, &second.vector];
    let surface = plane(a, data.training(), directions, &grid)?;
    let names = ["A", "B", "bend"];
    let marked = names.into_iter().zip(through.models);
    let config = ContourConfig {
        a_label: "distance along the line from A to B".into(),
        b_label: "distance from the line".into(),
        tracks: vec![track(pair, &through)?],
        points: marked
            .map(|(name, at)| MarkedPoint {
                name: name.into(),
                at,
            })
            .collect(),
        ..ContourConfig::new("The plane of the Bezier curve, training images")
    };
    let field = (&surface.a[..], &surface.b[..], &surface.loss[..]);
    save("plane", contour_with(field, &config)?)?;
    Ok(files)
}

fn profile_of<'p>(name: &'p str, path: &'p Path, part: usize) -> PathProfile<'p> {
    PathProfile {
        name,
        t: &path.loss[part].t,
        loss: &path.loss[part].loss,
        accuracy: &path.accuracy[part],
    }
}

/// Returns a grid around the three models, with a fifth of their extent on each side.
fn grid(through: &ModelPlane) -> Grid {
    let [a, b] = [0, 1].map(|axis| {
        let coordinates = through.models.map(|model| model[axis]);
        let low = coordinates.into_iter().fold(f64::INFINITY, f64::min);
        let high = coordinates.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let margin = 0.2 * (high - low);
        (low - margin..=high + margin, 25)
    });
    Grid::rectangle(a, b)
}

/// Returns the curve in the coordinates of its plane.
fn track(pair: &Paths, through: &ModelPlane) -> Result<Track> {
    let [a, b, bend] = through.models;
    let points = linspace(0.0..=1.0, 41).into_iter().map(|t| {
        let coefficients = pair.curve.shape().coefficients(t)?;
        let [of_a, of_bend, of_b] = coefficients[..] else {
            unreachable!("a Bezier curve has one bend")
        };
        Ok([0, 1].map(|axis| of_a * a[axis] + of_bend * bend[axis] + of_b * b[axis]))
    });
    Ok(Track {
        name: "Bezier curve".into(),
        points: points.collect::<Result<_>>()?,
        steps: Vec::new(),
    })
}
