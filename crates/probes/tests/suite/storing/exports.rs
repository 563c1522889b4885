//! Files for other programs.

use std::fs;
use std::path::{Path, PathBuf};

use landscape::slice::{Evaluation, Refined};
use landscape::trajectory::Projection;
use landscape::{Grid, Line, Surface};
use probes::export::{Column, Format, Samples, csv, json, npy, npz, vtk, write};
use serde_json::json;

use super::python;

/// Values of which two are not finite and one is NaN with bits of its own, on a grid that is not
/// square.
fn surface() -> Samples {
    let axes = [
        Column::new("a", vec![-1.0, 0.1, 1.0]),
        Column::new("b", vec![-2.0, -0.0, 0.3, 4.0]),
    ];
    let strange = f64::from_bits(0x7ff8_0000_dead_beef);
    let mut loss: Vec<f64> = (0..12_u32).map(|i| f64::from(i) / 10.0).collect();
    (loss[3], loss[8]) = (f64::INFINITY, strange);
    let accuracy = (0..12_u32).map(|i| f64::from(i).sqrt()).collect();
    Samples::on_grid(axes, [("training loss", loss), ("accuracy", accuracy)])
        .with_note("evaluation", "by a formula")
}

fn partial() -> Samples {
    let recorded = (0..12).map(|i| i != 5 && i != 11).collect();
    surface().with_recorded(recorded)
}

fn path_profile() -> Samples {
    let t = [Column::new("t", vec![0.0, 0.25, 1.0])];
    Samples::on_grid(
        t,
        [
            ("loss", vec![0.5, f64::NAN, -2.0]),
            ("α, \"β\"", vec![1.0, 2.0, 3.0]),
        ],
    )
}

fn trajectory() -> Samples {
    let coordinates = [
        Column::new("a", vec![0.0, 1.0, 2.0]),
        Column::new("b", vec![0.5, -0.5, 0.25]),
        Column::new("step", vec![0.0, 100.0, 200.0]),
    ];
    let out = vec![0.0, 0.125, 0.25];
    Samples::joined(
        coordinates,
        [("loss", vec![3.0, 2.0, 1.0]), ("out of plane", out)],
    )
}

fn all() -> [(&'static str, Samples); 5] {
    let scattered = [
        Column::new("a", vec![0.0, 1.0]),
        Column::new("b", vec![0.0, -1.0]),
    ];
    [
        ("surface", surface()),
        ("partial", partial()),
        ("profile", path_profile()),
        ("trajectory", trajectory()),
        (
            "points",
            Samples::scattered(scattered, [("loss", vec![1.0, 2.0])]),
        ),
    ]
}

#[test]
fn csv_has_a_row_for_each_measured_point_with_all_digits() {
    let text = csv(&partial()).unwrap();
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows[0], "a,b,training loss,accuracy");
    assert_eq!(rows.len(), 1 + 10);
    assert_eq!(rows[4], "-1.0,4.0,inf,1.7320508075688772");
    // Point 5 is left out.
    assert_eq!(rows[6], "0.1,0.3,0.6,2.449489742783178");
    assert_eq!(rows[8], "1.0,-2.0,NaN,2.8284271247461903");
    assert_eq!(
        csv(&path_profile()).unwrap(),
        "t,loss,\"α, \"\"β\"\"\"\r\n0.0,0.5,1.0\r\n0.25,NaN,2.0\r\n1.0,-2.0,3.0\r\n"
    );
    let text = csv(&trajectory()).unwrap();
    assert!(
        text.starts_with("a,b,step,loss,out of plane\r\n0.0,0.5,0.0,3.0,0.0\r\n"),
        "{text}"
    );
}

#[test]
fn json_marks_what_is_not_finite_and_what_was_not_measured() {
    let document = json(&partial()).unwrap();
    assert_eq!(document["evaluation"], "by a formula");
    assert_eq!(
        document["axes"][1],
        json!({"name": "b", "values": [-2.0, -0.0, 0.3, 4.0]})
    );
    assert_eq!(
        document["order"],
        "values[i * 4 + j] belongs to a[i] and b[j]"
    );
    let loss = json!([
        0.0, 0.1, 0.2, "inf", 0.4, null, 0.6, 0.7, "NaN", 0.9, 1.0, null
    ]);
    assert_eq!(
        document["quantities"][0],
        json!({"name": "training loss", "values": loss})
    );
    let document = json(&trajectory()).unwrap();
    assert_eq!(
        document["coordinates"][2]["values"],
        json!([0.0, 100.0, 200.0])
    );
    assert!(document.get("axes").is_none());
}

#[test]
fn surfaces_and_lines_of_landscape_are_samples() {
    let surface = Surface {
        a: vec![0.0, 1.0],
        b: vec![0.0],
        loss: vec![2.0, f64::NAN],
        evaluation: Evaluation::Captured,
    };
    assert_eq!(
        csv(&(&surface).into()).unwrap(),
        "a,b,loss\r\n0.0,0.0,2.0\r\n1.0,0.0,NaN\r\n"
    );
    let line = Line {
        a: vec![-1.0],
        loss: vec![0.5],
        evaluation: Evaluation::Captured,
    };
    assert_eq!(csv(&(&line).into()).unwrap(), "a,loss\r\n-1.0,0.5\r\n");
}

#[test]
fn refined_surfaces_trajectories_and_path_profiles_are_samples() {
    let refined = Refined {
        grid: Grid {
            a: vec![0.0],
            b: vec![1.0, 2.0],
        },
        values: vec![0.5, 0.75],
        evaluated: vec![true, false],
        error: 0.0625,
        tolerance: 0.125,
        range: [0.0, 1.0],
        converged: true,
        evaluations: 1,
    };
    let samples = Samples::of_refined(&refined, "training loss");
    assert_eq!(
        csv(&samples).unwrap(),
        "a,b,training loss,evaluated\r\n0.0,1.0,0.5,1.0\r\n0.0,2.0,0.75,0.0\r\n"
    );
    let document = json(&samples).unwrap();
    assert_eq!(
        (&document["error"], &document["evaluations"]),
        (&json!("0.0625"), &json!("1"))
    );

    let projection = |coordinates, in_plane, out_of_plane, distance| Projection {
        coordinates,
        in_plane,
        out_of_plane,
        distance,
    };
    let checkpoints = [
        projection([3.0, 0.0], 3.0, 4.0, 5.0),
        projection([0.0, 0.0], 0.0, 0.0, 0.0),
    ];
    let samples = Samples::of_trajectory(&checkpoints, [("true loss", vec![2.0, 1.0])]);
    assert_eq!(
        csv(&samples).unwrap(),
        "a,b,true loss,out of plane\r\n3.0,0.0,2.0,4.0\r\n0.0,0.0,1.0,0.0\r\n"
    );
}

#[test]
fn samples_whose_lengths_or_names_do_not_fit_are_refused_by_every_format() {
    let mut short = surface();
    short.quantities[1].values.pop();
    let masked = surface().with_recorded(vec![true; 3]);
    let mut twice = surface();
    twice.quantities[1].name = "a".to_owned();
    let no_axes = Samples::on_grid(Vec::new(), [("loss", vec![1.0])]);
    for (samples, said) in [
        (
            &short,
            "the number of values is 11 of \"accuracy\" for 12 points",
        ),
        (
            &masked,
            "the length of the validity mask is 3 for 12 points",
        ),
        (&twice, "the name is \"a\""),
        (&no_axes, "the number of axes is 0"),
    ] {
        for format in Format::ALL {
            let error = format.bytes(samples).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
    assert!(
        npy(&[2, 2], &[1.0])
            .unwrap_err()
            .to_string()
            .contains("1 for an array of shape")
    );
    let recorded = Samples::on_grid([Column::new("a", vec![0.0])], [("recorded", vec![1.0])]);
    assert!(npz(&recorded).is_err());
    let error = vtk(&surface(), Some("test loss")).unwrap_err().to_string();
    assert!(error.starts_with("the height is \"test loss\""), "{error}");
}

#[test]
fn written_file_has_the_format_of_its_ending_and_takes_the_place_of_one_before() {
    let folder = tempfile::tempdir().unwrap();
    for (format, ending) in [
        (Format::Csv, "csv"),
        (Format::Json, "JSON"),
        (Format::Npz, "npz"),
        (Format::Vtk, "vtk"),
    ] {
        let path = folder.path().join(format!("x.{ending}"));
        fs::write(&path, "before").unwrap();
        write(&surface(), &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), format.bytes(&surface()).unwrap());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    let error = write(&surface(), folder.path().join("x.png"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"png\"") && error.contains("csv, json, npz or vtk"),
        "{error}"
    );
    let error = write(&surface(), folder.path().join("none/x.csv")).unwrap_err();
    assert!(error.to_string().starts_with("cannot write"), "{error}");
}

/// Reads `.npy` by its definition, the zip file by Python's own reader, which checks its checksums,
/// and prints name, shape and bits of each array.
const NPZ: &str = r#"
import ast, struct, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    for entry in archive.infolist():
        assert entry.filename.endswith(".npy") and entry.compress_type == zipfile.ZIP_STORED
        data = archive.read(entry)
        assert data[:8] == b"\x93NUMPY\x01\x00"
        length, = struct.unpack("<H", data[8:10])
        assert (10 + length) % 64 == 0 and data[10 + length - 1:10 + length] == b"\n"
        header = ast.literal_eval(data[10:10 + length].decode("latin1"))
        assert set(header) == {"descr", "fortran_order", "shape"} and not header["fortran_order"]
        size, code = {"<f8": (8, "<Q"), "|b1": (1, "B")}[header["descr"]]
        content = data[10 + length:]
        count = 1
        for side in header["shape"]:
            count *= side
        assert len(content) == size * count
        bits = [format(bits, "x") for bits, in struct.iter_unpack(code, content)]
        print(entry.filename[:-4], header["shape"], *bits)
"#;

/// Returns the text that a reader of the arrays in a `.npz` should print.
fn arrays(samples: &Samples, shape: &str) -> String {
    let line = |name: &str, shape: &str, bits: Vec<u64>| {
        let bits: String = bits.iter().map(|bits| format!(" {bits:x}")).collect();
        format!("{name} {shape}{bits}\n")
    };
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    let mut text = String::new();
    for column in samples.columns() {
        let shape = format!("({},)", column.values.len());
        text += &line(&column.name, &shape, bits(&column.values));
    }
    for column in &samples.quantities {
        text += &line(&column.name, shape, bits(&column.values));
    }
    let recorded = samples.recorded.iter().map(|recorded| u64::from(*recorded));
    text + &line("recorded", shape, recorded.collect())
}

/// The folder in which the gate's readers find the files of the next test.
fn kept_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exports");
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn arrays_have_their_shapes_and_bits_by_the_definition_of_the_format() {
    let folder = kept_folder();
    for (name, samples) in all() {
        let shape = match name {
            "surface" | "partial" => "(3, 4)",
            "points" => "(2,)",
            _ => "(3,)",
        };
        let expected = arrays(&samples, shape);
        for ending in ["npz", "vtk", "csv", "json"] {
            write(&samples, folder.join(format!("{name}.{ending}"))).unwrap();
        }
        fs::write(folder.join(format!("{name}.expected")), &expected).unwrap();
        let path = folder.join(format!("{name}.npz"));
        assert_eq!(python(NPZ, &[&path]), expected, "{name}");
    }
}

/// A file of VTK's legacy format: its title, points, cells and scalars.
struct Mesh {
    title: String,
    points: Vec<[f64; 3]>,
    cells: Vec<(i32, Vec<usize>)>,
    scalars: Vec<(String, Vec<f64>)>,
}

/// Reads what the format's definition asks for, in this order.
fn mesh(bytes: &[u8]) -> Mesh {
    struct Reader<'a>(&'a [u8]);
    impl Reader<'_> {
        fn line(&mut self) -> String {
            let end = self.0.iter().position(|byte| *byte == b'\n').unwrap();
            let line = String::from_utf8(self.0[..end].to_vec()).unwrap();
            self.0 = &self.0[end + 1..];
            line
        }
        fn counts<const N: usize>(&mut self, before: &str, after: &str) -> [usize; N] {
            let line = self.line();
            let counts = line
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            let counts: Vec<usize> = counts
                .expect(&line)
                .split_whitespace()
                .map(|n| n.parse().unwrap())
                .collect();
            counts.try_into().unwrap()
        }
        fn words<const N: usize, T>(&mut self, count: usize, of: fn([u8; N]) -> T) -> Vec<T> {
            let words = self.0[..N * count].chunks_exact(N);
            let words = words.map(|word| of(word.try_into().unwrap())).collect();
            self.0 = &self.0[N * count..];
            assert_eq!(self.line(), "");
            words
        }
    }
    let mut reader = Reader(bytes);
    assert_eq!(reader.line(), "# vtk DataFile Version 3.0");
    let title = reader.line();
    assert_eq!(
        (reader.line(), reader.line()),
        ("BINARY".into(), "DATASET UNSTRUCTURED_GRID".into())
    );
    let [count] = reader.counts("POINTS ", " double");
    let points = reader.words(3 * count, f64::from_be_bytes);
    let [cells, size] = reader.counts("CELLS ", "");
    let mut numbers = reader.words(size, i32::from_be_bytes).into_iter();
    let [same] = reader.counts("CELL_TYPES ", "");
    assert_eq!(same, cells);
    let kinds = reader.words(cells, i32::from_be_bytes);
    let whole = |number: i32| usize::try_from(number).unwrap();
    let cells = kinds.into_iter().map(|kind| {
        let corners = whole(numbers.next().unwrap());
        (kind, numbers.by_ref().take(corners).map(whole).collect())
    });
    let cells = cells.collect();
    assert!(numbers.next().is_none());
    let [same] = reader.counts("POINT_DATA ", "");
    assert_eq!(same, count);
    let mut scalars = Vec::new();
    while !reader.0.is_empty() {
        let line = reader.line();
        let name = line
            .strip_prefix("SCALARS ")
            .and_then(|rest| rest.strip_suffix(" double 1"));
        let name = name.expect(&line).to_owned();
        assert_eq!(reader.line(), "LOOKUP_TABLE default");
        scalars.push((name, reader.words(count, f64::from_be_bytes)));
    }
    let points = points
        .chunks_exact(3)
        .map(|p| p.try_into().unwrap())
        .collect();
    Mesh {
        title,
        points,
        cells,
        scalars,
    }
}

#[test]
fn vtk_has_the_loss_as_height_and_leaves_out_what_is_not_finite_or_not_measured() {
    let found = mesh(&vtk(&partial(), None).unwrap());
    assert_eq!(
        found.title,
        "training loss: 4 of 12 points left out, not measured or not finite"
    );
    // Without 3 (inf), 5 (not measured), 8 (NaN), 11 (not measured).
    let kept = [0, 1, 2, 4, 6, 7, 9, 10];
    assert_eq!(found.points.len(), 8);
    let axes = partial();
    let loss = &axes.quantities[0].values;
    for (point, index) in found.points.iter().zip(kept) {
        let [a, b] = axes.point(index)[..] else {
            panic!()
        };
        assert_eq!(*point, [a, b, loss[index]]);
    }
    // Each of the six cells has one of these for a corner.
    assert!(found.cells.is_empty(), "{:?}", found.cells);
    let names: Vec<&str> = found
        .scalars
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["training%20loss", "accuracy", "index"]);
    assert_eq!(found.scalars[2].1, kept.map(|index| index as f64));
    assert_eq!(found.scalars[1].1[4], 6.0_f64.sqrt());

    let found = mesh(&vtk(&surface(), None).unwrap());
    assert_eq!(found.points.len(), 10);
    // Points 3 and 8 are left out, and with them the cells 2, 3, 6, 7 and 4, 5, 8, 9; four stay,
    // with corners in a cycle.
    let place = |index: usize| index - usize::from(index > 3) - usize::from(index > 8);
    let corners = [[0, 4, 5, 1], [1, 5, 6, 2], [5, 9, 10, 6], [6, 10, 11, 7]];
    let expected: Vec<_> = corners.map(|c| (9, c.map(place).to_vec())).to_vec();
    assert_eq!(found.cells, expected);

    let found = mesh(&vtk(&surface(), Some("accuracy")).unwrap());
    assert_eq!(
        (found.title.as_str(), found.points.len(), found.cells.len()),
        ("accuracy", 12, 6)
    );
    assert_eq!(found.points[4], [0.1, -2.0, 2.0]);
    // A value that is not finite beside a finite height is kept.
    assert_eq!(found.scalars[0].1[8].to_bits(), 0x7ff8_0000_dead_beef);
}

#[test]
fn vtk_of_a_path_is_a_curve_and_of_a_trajectory_one_in_space() {
    let found = mesh(&vtk(&path_profile(), None).unwrap());
    assert_eq!(found.points, [[0.0, 0.5, 0.0], [1.0, -2.0, 0.0]]);
    // Over the point that is left out there is no line.
    assert!(found.cells.is_empty());
    assert_eq!(found.scalars[1].0, "%CE%B1,%20%22%CE%B2%22");
    let found = mesh(&vtk(&trajectory(), None).unwrap());
    assert_eq!(
        found.points,
        [[0.0, 0.5, 3.0], [1.0, -0.5, 2.0], [2.0, 0.25, 1.0]]
    );
    assert_eq!(found.cells, [(3, vec![0, 1]), (3, vec![1, 2])]);
    assert_eq!(
        found.scalars[2],
        ("step".to_owned(), vec![0.0, 100.0, 200.0])
    );
    let [.., (_, points)] = all();
    let found = mesh(&vtk(&points, None).unwrap());
    assert_eq!(found.cells, [(1, vec![0]), (1, vec![1])]);
}
