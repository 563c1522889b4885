//! Meshes: what the viewer gets, and what it is spared.

use std::collections::HashSet;
use tensorboard::{Error, EventWriter, Mesh, SummaryValue, SurfaceConfig, read_events};

/// Evenly spaced places from -1 to 1.
fn axis(count: usize) -> Vec<f64> {
    (0..count)
        .map(|i| 2.0 * i as f64 / (count - 1) as f64 - 1.0)
        .collect()
}

fn values(x: &[f64], y: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    x.iter()
        .flat_map(|&x| y.iter().map(move |&y| (x, y)))
        .map(|(x, y)| f(x, y))
        .collect()
}

fn rule(result: Result<Mesh, Error>) -> String {
    match result {
        Err(Error::Mesh { rule }) => rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn surface_is_centred_with_y_upwards_and_faces_up() {
    let (x, y) = (vec![0.0, 1.0, 4.0], vec![10.0, 20.0]);
    // 2 at the far corner, 0 elsewhere.
    let heights = values(&x, &y, |x, y| if x > 3.0 && y > 15.0 { 2.0 } else { 0.0 });
    let mesh = Mesh::surface(&x, &y, &heights, &SurfaceConfig::default()).unwrap();
    // An axis keeps the distances of its points: 1 of 4 is at -1 + 2/4.
    let expected = [
        [-1.0, -0.5, -1.0],
        [-1.0, -0.5, 1.0],
        [-0.5, -0.5, -1.0],
        [-0.5, -0.5, 1.0],
        [1.0, -0.5, -1.0],
        [1.0, 0.5, 1.0],
    ];
    assert_eq!(mesh.vertices, expected);
    assert_eq!(mesh.colors[0], [68, 1, 84]);
    assert_eq!(mesh.colors[5], [253, 231, 37]);
    assert_eq!(mesh.faces.len(), 4);
    for face in &mesh.faces {
        let [a, b, c] = face.map(|vertex| mesh.vertices[vertex as usize]);
        let (u, v) = ([b[0] - a[0], b[2] - a[2]], [c[0] - a[0], c[2] - a[2]]);
        // The y of the cross product.
        assert!(u[1] * v[0] - u[0] * v[1] > 0.0, "{face:?}");
    }
}

#[test]
fn faces_that_touch_what_is_not_finite_are_left_out_and_no_vertex_is_not_finite() {
    let side = axis(5);
    for hole in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut heights = values(&side, &side, |x, y| x + y);
        heights[12] = hole;
        let mesh = Mesh::surface(&side, &side, &heights, &SurfaceConfig::default()).unwrap();
        // Six triangles meet in the middle of a grid whose squares are all cut the same way.
        assert_eq!(mesh.faces.len(), 32 - 6);
        assert!(mesh.faces.iter().flatten().all(|&vertex| vertex != 12));
        assert_eq!(mesh.vertices.len(), 25);
        mesh.check().unwrap();
    }
}

#[test]
fn values_of_any_size_are_drawn_and_those_beyond_an_end_lie_in_a_plane() {
    let side = axis(3);
    let extremes = [
        f64::MIN,
        0.0,
        f64::MAX,
        1.0,
        -1.0,
        0.0,
        5e-324,
        f64::MAX,
        0.0,
    ];
    let mesh = Mesh::surface(&side, &side, &extremes, &SurfaceConfig::default()).unwrap();
    assert_eq!((mesh.vertices[0][1], mesh.vertices[2][1]), (-0.5, 0.5));
    assert_eq!(mesh.vertices[1][1], 0.0);
    let flat = Mesh::surface(&side, &side, &[7.0; 9], &SurfaceConfig::default()).unwrap();
    assert!(flat.vertices.iter().all(|vertex| vertex[1] == 0.0));

    let heights = [0.0, 1.0, 2.0, 4.0, 1e300, 3.0, 0.0, 0.0, 0.0];
    let config = SurfaceConfig {
        ceiling: Some(2.0),
        ..SurfaceConfig::default()
    };
    let cut = Mesh::surface(&side, &side, &heights, &config).unwrap();
    let found: Vec<f32> = cut.vertices.iter().map(|vertex| vertex[1]).collect();
    assert_eq!(found, [-0.5, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, -0.5, -0.5]);

    // Between given ends, surfaces of several steps have one scale.
    let config = SurfaceConfig {
        floor: Some(1.0),
        ceiling: Some(5.0),
        ..SurfaceConfig::default()
    };
    let cut = Mesh::surface(&side, &side, &heights, &config).unwrap();
    let found: Vec<f32> = cut.vertices.iter().map(|vertex| vertex[1]).collect();
    assert_eq!(found, [-0.5, -0.5, -0.25, 0.25, 0.5, 0.0, -0.5, -0.5, -0.5]);
    let config = SurfaceConfig {
        floor: Some(f64::NAN),
        ..SurfaceConfig::default()
    };
    let told = rule(Mesh::surface(&side, &side, &heights, &config));
    assert!(told.contains("NaN"), "{told}");

    // On a logarithmic scale 10 lies halfway from 1 to 100.
    let decades = [1.0, 10.0, 100.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let config = SurfaceConfig {
        logarithmic: true,
        ..SurfaceConfig::default()
    };
    let mesh = Mesh::surface(&side, &side, &decades, &config).unwrap();
    assert!(mesh.vertices[1][1].abs() < 1e-6);
    let negative = [-1.0; 9];
    let told = rule(Mesh::surface(&side, &side, &negative, &config));
    assert!(
        told.contains("-1") && told.contains("logarithmic"),
        "{told}"
    );
}

#[test]
fn grid_of_too_many_points_is_thinned_and_keeps_its_corners() {
    for (rows, columns) in [(256, 256), (300, 300), (3, 40_000), (1000, 90), (40_000, 2)] {
        let (x, y) = (axis(rows), axis(columns));
        let plane = values(&x, &y, |x, y| x + 2.0 * y);
        let mesh = Mesh::surface(&x, &y, &plane, &SurfaceConfig::default()).unwrap();
        let count = mesh.vertices.len();
        assert!(
            count <= 65_536 && count > 60_000,
            "{rows} x {columns}: {count}"
        );
        // Where it was thinned, each vertex still lies on the plane, at its own height.
        for [x, height, z] in &mesh.vertices {
            assert!((height - (x + 2.0 * z) / 6.0).abs() < 1e-6);
        }
        let at = |vertex: &[f32; 3]| (vertex[0].to_bits(), vertex[2].to_bits());
        let places: HashSet<_> = mesh.vertices.iter().map(at).collect();
        assert_eq!(places.len(), count, "no point is drawn twice");
        for corner in [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0_f32]] {
            assert!(mesh.vertices.iter().any(|v| [v[0], v[2]] == corner));
        }
    }
    let points = Mesh {
        vertices: vec![[0.0; 3]; 65_537],
        ..Mesh::default()
    };
    assert!(points.check().unwrap_err().to_string().contains("65536"));
}

#[test]
fn grids_and_meshes_that_cannot_be_drawn_are_refused_with_a_number() {
    let side = axis(3);
    let plain = SurfaceConfig::default();
    let surface = |x: &[f64], y: &[f64], values: &[f64]| rule(Mesh::surface(x, y, values, &plain));
    for (told, part) in [
        (
            surface(&side, &side, &[0.0; 8]),
            "3 x 3 points has 8 values",
        ),
        (surface(&[0.0], &side, &[0.0; 3]), "1 points"),
        (surface(&[], &side, &[]), "none of its values"),
        (
            surface(&[0.0, 0.0, 1.0], &side, &[0.0; 9]),
            "does not increase",
        ),
        (
            surface(&[0.0, f64::NAN, 1.0], &side, &[0.0; 9]),
            "does not increase",
        ),
        (
            surface(&side, &side, &[f64::NAN; 9]),
            "none of its values is finite",
        ),
    ] {
        assert!(told.contains(part), "{told}");
    }
    let sound = Mesh {
        vertices: vec![[0.0; 3]; 3],
        faces: vec![[0, 1, 2]],
        colors: vec![[1, 2, 3]; 3],
        config: "{}".into(),
    };
    sound.check().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    let mut refused = |change: fn(&mut Mesh), part: &str| {
        let mut mesh = sound.clone();
        change(&mut mesh);
        let told = writer.mesh("mesh", 0, &mesh).unwrap_err().to_string();
        assert!(told.contains(part), "{told}");
    };
    refused(
        |mesh| mesh.vertices[1][2] = f32::NAN,
        "vertex 1 is (0, 0, NaN)",
    );
    refused(|mesh| mesh.faces[0][1] = 3, "face 0 is [0, 3, 2]");
    refused(|mesh| mesh.colors.truncate(1), "1 colours for 3 vertices");
    refused(|mesh| mesh.vertices.clear(), "no vertices");
    refused(
        |mesh| mesh.config = "camera".into(),
        "`camera` is no JSON object",
    );
    writer.mesh("mesh", 0, &sound).unwrap();
    assert_eq!(writer.finish().unwrap().values, 1);
}

#[test]
fn meshes_are_read_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let side = axis(9);
    let mut writer = EventWriter::create(folder.path()).unwrap();
    let mut written = Vec::new();
    for step in 0..3 {
        let heights = values(&side, &side, |x, y| x * y * f64::from(step));
        let mesh = Mesh::surface(&side, &side, &heights, &SurfaceConfig::default()).unwrap();
        writer.mesh("surface", step.into(), &mesh).unwrap();
        written.push(SummaryValue::Mesh(mesh));
        let cloud = Mesh {
            vertices: vec![[step as f32, 1.0, 2.0]],
            ..Mesh::default()
        };
        writer.mesh("cloud", step.into(), &cloud).unwrap();
        written.push(SummaryValue::Mesh(cloud));
    }
    let read = read_events(writer.path()).unwrap().points;
    let tags: Vec<&str> = read.iter().map(|point| point.tag.as_str()).collect();
    assert_eq!(tags, ["surface", "cloud"].repeat(3));
    let values: Vec<SummaryValue> = read.into_iter().map(|point| point.value).collect();
    assert_eq!(values, written);
}
