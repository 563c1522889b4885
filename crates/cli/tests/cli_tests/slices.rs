//! What `landscape surface` and `landscape line` find, how they go on, and what they refuse.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use landscape::{
    Grid, Hessian, LanczosConfig, ParameterSpace, filter_normalize, line, plane, random_direction,
    random_directions, top_eigenpairs,
};
use serde_json::Value;

use crate::analysis::{RENAMES, content, finished, mlp, risk, train, write_sequential};
use crate::program::{Ended, Workplace, summary};

/// A column of an exported table.
fn column(place: &Workplace, file: &str, name: &str) -> Vec<f64> {
    let text = fs::read_to_string(place.path(file)).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let index = header.iter().position(|other| *other == name).unwrap();
    let cell = |line: &str| line.split(',').nth(index).unwrap().parse().unwrap();
    lines.map(cell).collect()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(error <= tolerance * expected.abs(), "{found} {expected}");
    }
}

#[test]
fn surface_of_a_checkpoint_is_that_of_the_library() {
    let place = finished(&[]);
    let found = place
        .landscape(&["surface", "run", "--grid=5x3", "--range=0.5", "--json"])
        .expect(0, &[])
        .json();
    let stored = fs::read_to_string(place.path("run/surface-34/surface.json")).unwrap();
    assert_eq!(found, serde_json::from_str::<Value>(&stored).unwrap());
    assert_eq!(found["schema"], "landscape-surface/1");
    assert_eq!(
        (&found["status"], &found["examples"]),
        (&"finished".into(), &32.into())
    );
    let model = mlp(&place, "run");
    let space = ParameterSpace::of(&model).unwrap();
    let [first, second] =
        random_directions(&space, 42).map(|d| filter_normalize(&space, &model, d).unwrap());
    let grid = Grid::rectangle((-0.5..=0.5, 5), (-0.5..=0.5, 3));
    let expected = plane(&model, &risk(), [&first, &second], &grid).unwrap();
    let losses = column(&place, "run/surface-34/values.csv", "training loss");
    // Both are sums of 32 losses in single precision, perhaps in another order.
    close(&losses, &expected.loss, 1e-5);
    let a = column(&place, "run/surface-34/values.csv", "a");
    assert_eq!((a[0], a[3], a[14]), (-0.5, -0.25, 0.5));
    let results = &found["slices"][0]["results"];
    assert_eq!(results["grid"], serde_json::json!([5, 3]));
    let centre = results["quantities"][0]["centre"]["value"]
        .as_f64()
        .unwrap();
    assert_eq!(centre, losses[7]);
    let accuracy = column(&place, "run/surface-34/values.csv", "training accuracy");
    // Shares of 32 examples.
    assert!(accuracy.iter().all(|share| (share * 32.0).fract() == 0.0));
    for file in [
        "training-loss.png",
        "training-loss.svg",
        "training-loss-perspective.png",
    ] {
        assert!(place.path("run/surface-34").join(file).is_file(), "{file}");
    }
    // A finished surface is not measured again, nor replaced.
    place
        .landscape(&["surface", "run", "--grid=5x3", "--range=0.5"])
        .expect(2, &["holds a surface", "--overwrite"]);
}

#[test]
fn line_of_several_runs_has_the_librarys_losses_and_the_summarys_accuracy() {
    let place = Workplace::new();
    place.landscape(&["run", "pair"]).expect(0, &[]);
    let ended = place.landscape(&["line", "runs/pair", "--points=5", "--export=csv,npy"]);
    let ended = ended.expect(0, &[]);
    assert!(ended.out.contains("training loss, centre"), "{}", ended.out);
    for line in ended.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let folder = "runs/pair/line";
    let model = mlp(&place, "runs/pair/sam");
    let space = ParameterSpace::of(&model).unwrap();
    let direction = filter_normalize(&space, &model, random_direction(&space, 42)).unwrap();
    let a = [-1.0, -0.5, 0.0, 0.5, 1.0];
    let expected = line(&model, &risk(), &direction, &a).unwrap();
    let names: Vec<String> = content(&place.path(folder)).into_keys().collect();
    let of_sam = names
        .iter()
        .find(|n| n.starts_with("values-") && n.ends_with("sam.csv"));
    let of_sam = format!("{folder}/{}", of_sam.unwrap());
    close(
        &column(&place, &of_sam, "training loss"),
        &expected.loss,
        1e-5,
    );
    let accuracy = column(&place, &of_sam, "validation accuracy");
    let known = summary(&place.path("runs/pair/sam"))["figures"]["validation_accuracy"].clone();
    assert!(
        (accuracy[2] - known.as_f64().unwrap()).abs() < 1e-6,
        "{accuracy:?} {known}"
    );
    for file in ["line-training.png", "line-validation.png", "line.json"] {
        assert!(place.path(folder).join(file).is_file(), "{file}");
    }
    assert!(names.iter().any(|name| name.ends_with(".npz")), "{names:?}");
}

#[test]
fn several_surfaces_come_into_one_picture_beside_that_of_each() {
    let place = Workplace::new();
    place.landscape(&["run", "pair"]).expect(0, &[]);
    let flags = [
        "surface",
        "runs/pair",
        "--grid=5",
        "--no-accuracy",
        "--theme=dark",
        "--json",
    ];
    let found = place.landscape(&flags).expect(0, &[]).json();
    assert_eq!(found["slices"].as_array().unwrap().len(), 2);
    let names: Vec<&str> = found["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    for file in [
        "training-loss.png",
        "training-loss-perspective.svg",
        "training-loss-1-sgd.png",
        "training-loss-2-sam-perspective.png",
    ] {
        assert!(names.contains(&file), "{file} in {names:?}");
    }
    assert!(
        !names.iter().any(|name| name.contains("accuracy")),
        "{names:?}"
    );
}

/// Waits until some points are in a store; false where the program ended before.
fn has_points(place: &Workplace, store: &str, child: &mut Child) -> bool {
    let began = Instant::now();
    let mut header = None;
    while began.elapsed() < Duration::from_secs(60) {
        let length = fs::metadata(place.path(store)).map_or(0, |file| file.len());
        if length > 0 {
            // A record of one quantity has 16 bytes.
            if length >= *header.get_or_insert(length) + 16 * 64 {
                return true;
            }
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        sleep(Duration::from_millis(1));
    }
    panic!("nothing was stored within a minute");
}

#[test]
fn killed_surface_goes_on_and_equals_the_uninterrupted_one_bit_for_bit() {
    let place = finished(&[]);
    let arguments = [
        "surface",
        "run",
        "--grid=61",
        "--examples=1024",
        "--no-accuracy",
    ];
    let whole = [&arguments[..], &["--output=whole"]].concat();
    place.landscape(&whole).expect(0, &[]);
    let store = "run/surface-34/points-1.slice";
    let mut child = place
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(has_points(&place, store, &mut child), "it ended unkilled");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.path("run/surface-34/values.csv").exists());
    let recorded = fs::read(place.path(store)).unwrap();
    // Another grid, another model's store, a damaged one: each is told and left as it was.
    let other = [
        "surface",
        "run",
        "--grid=31",
        "--examples=1024",
        "--no-accuracy",
    ];
    place
        .landscape(&other)
        .expect(2, &["points-1.slice", "--overwrite", "--output"]);
    assert_eq!(fs::read(place.path(store)).unwrap(), recorded);
    let mut damaged = recorded.clone();
    let middle = damaged.len() - 30;
    damaged[middle] ^= 1;
    fs::write(place.path(store), &damaged).unwrap();
    place
        .landscape(&arguments)
        .expect(1, &["points-1.slice", "--overwrite"]);
    assert_eq!(fs::read(place.path(store)).unwrap(), damaged);
    fs::write(place.path(store), &recorded).unwrap();
    let resumed = [&arguments[..], &["--json"]].concat();
    let found = place.landscape(&resumed).expect(0, &[]).json();
    let results = &found["slices"][0]["results"];
    assert!(
        results["evaluated_earlier"].as_u64().unwrap() > 0,
        "{results}"
    );
    assert_eq!(results["evaluated"], 61 * 61);
    for file in ["values.csv", "training-loss.png"] {
        let read = |folder: &str| fs::read(place.path(folder).join(file)).unwrap();
        assert!(read("whole") == read("run/surface-34"), "{file}");
    }
}

#[cfg(unix)]
#[test]
fn interrupted_surface_says_so_and_goes_on() {
    let place = finished(&[]);
    let arguments = [
        "surface",
        "run",
        "--grid=301",
        "--examples=512",
        "--no-accuracy",
    ];
    let mut child = place
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let store = "run/surface-34/points-1.slice";
    assert!(
        has_points(&place, store, &mut child),
        "it ended uninterrupted"
    );
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let ended = Ended::from(child.wait_with_output().unwrap());
    ended.expect(130, &["stopped", "the same command goes on"]);
    let document = fs::read_to_string(place.path("run/surface-34/surface.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["status"], "interrupted");
    assert!(document["files"].to_string().contains("points-1.slice"));
}

#[test]
fn slice_between_models_meets_them() {
    let place = finished(&["--keep=all", "--checkpoint-every=17"]);
    let flags = [
        "line",
        "run",
        "--through",
        "--step=0,34",
        "--range=0:1",
        "--points=3",
        "--json",
    ];
    let found = place.landscape(&flags).expect(0, &[]).json();
    let quantities = &found["slices"][0]["results"]["quantities"];
    assert_eq!(quantities[1]["name"], "validation loss");
    let losses = column(&place, "run/line/values.csv", "validation loss");
    let known = summary(&place.path("run"))["figures"]["validation_loss"].clone();
    let known = known.as_f64().unwrap();
    assert!(
        (losses[2] - known).abs() < 1e-5 * known,
        "{losses:?} {known}"
    );
    let flags = ["surface", "run", "--through", "--step=0,17,34", "--grid=4"];
    let plane = [&flags[..], &["--range=0:1", "--output=plane"]].concat();
    place.landscape(&plane).expect(0, &[]);
    let training = column(&place, "run/line/values.csv", "training loss");
    let corner = column(&place, "plane/values.csv", "training loss");
    // (0, 0) is the first model and (0, 1) the third, at the beginning and at the end of a row.
    close(&[corner[0], corner[3]], &[training[0], training[2]], 1e-5);
    for (flags, said) in [
        (
            &["line", "run", "--through"][..],
            "goes through two models, and there are 1",
        ),
        (
            &["surface", "run", "--through", "--step=0,34"],
            "there are 2",
        ),
    ] {
        place.landscape(flags).expect(2, &["--through", said]);
    }
}

#[test]
fn eigenvectors_and_adapted_coordinates_and_refinement_are_what_they_say() {
    let place = finished(&[]);
    let flags = [
        "surface",
        "run",
        "--directions=eigenvectors",
        "--adapt=4",
        "--grid=65",
        "--refine=2",
        "--json",
    ];
    let found = place.landscape(&flags).expect(0, &[]).json();
    let results = &found["slices"][0]["results"];
    let evaluated = results["evaluated"].as_u64().unwrap();
    assert!(evaluated < 65 * 65, "{evaluated}");
    assert!(
        results["refinement_error"].as_f64().unwrap() <= 0.02,
        "{results}"
    );
    let eigenvalue = &results["directions"][0]["record"]["kind"]["Eigenvector"]["value"];
    let eigenvalue = eigenvalue.as_f64().unwrap();
    let hessian = Hessian::at(&mlp(&place, "run"), &risk()).unwrap();
    let lanczos = LanczosConfig::new().with_seed(42).with_max_steps(300);
    let known = top_eigenpairs(&hessian, 2, &lanczos).unwrap()[0].value;
    // The tolerance of Lanczos is 1e-5 of the eigenvalue.
    assert!(
        (eigenvalue - known).abs() < 1e-4 * known,
        "{eigenvalue} {known}"
    );
    // At the ends of the axes the loss is four times that of the centre, to the 1 % of the search.
    let line = ["line", "run", "--adapt=4", "--points=11", "--json"];
    let found = place.landscape(&line).expect(0, &[]).json();
    let losses = column(&place, "run/line-34/values.csv", "training loss");
    let centre = found["slices"][0]["results"]["quantities"][0]["centre"]["value"].as_f64();
    let ends = [losses[0], losses[10]];
    assert!(
        ends.iter().all(|end| *end > 3.0 * centre.unwrap()),
        "{ends:?} {centre:?}"
    );
}

#[test]
fn what_is_no_slice_is_told_in_one_sentence_and_leaves_nothing() {
    let place = finished(&[]);
    train(&place, &["--hidden=8", "--output=narrow"]);
    let before = content(&place.path(""));
    for (flags, code, said) in [
        (
            &["surface", "run", "--grid=0"][..],
            2,
            "expected N or NxM with whole numbers from 2",
        ),
        (&["surface", "run", "--grid=5x"], 2, "expected N or NxM"),
        (&["surface", "run", "--range=1:1"], 2, "LOW below HIGH"),
        (&["surface", "run", "--range=1:-1"], 2, "LOW below HIGH"),
        (&["surface", "run", "--range=0"], 2, "greater than 0"),
        (&["surface", "run", "--adapt=1"], 2, "greater than 1"),
        (&["surface", "run", "--refine=0"], 2, "at most 100"),
        (
            &["surface", "run", "--splits=all"],
            2,
            "possible values: training, validation, test",
        ),
        (&["surface", "nowhere"], 2, "there is no run nowhere"),
        (
            &["surface", "run", "--step=5"],
            2,
            "no checkpoint of step 5",
        ),
        (&["line", "run", "--points=1"], 2, "is no line"),
        (&["line", "run", "run", "--through"], 2, "there are 1"),
        (
            &["line", "run", "narrow", "--through"],
            2,
            "different networks (mlp 16 and mlp 8)",
        ),
        (
            &["line", "run", "--through", "--directions=gradient"],
            2,
            "--directions",
        ),
    ] {
        place.landscape(flags).expect(code, &[said]);
        assert_eq!(content(&place.path("")), before, "{flags:?}");
    }
}

#[test]
fn equal_weights_and_weights_that_are_not_finite_have_nothing_between_or_around_them() {
    let place = finished(&[]);
    train(&place, &["--output=again"]);
    let flags = ["line", "run", "again", "--through"];
    place
        .landscape(&flags)
        .expect(2, &["their weights are equal"]);
    let model = mlp(&place, "run");
    let space = ParameterSpace::of(&model).unwrap();
    let mut theta = landscape::download(&space.flatten(&model).unwrap());
    theta[1100] = f64::NAN;
    let theta = space.domain.upload(&theta).unwrap();
    let broken = space.unflatten(&model, &theta).unwrap();
    write_sequential(&place.path("broken.safetensors"), &broken);
    let flags = [
        "surface",
        "--torch=broken.safetensors",
        RENAMES[0],
        RENAMES[1],
    ];
    place.landscape(&flags).expect(
        1,
        &["broken.safetensors are not all finite", "layers.1.weight"],
    );
    assert!(!place.path("broken-surface").exists());
}

#[cfg(unix)]
#[test]
fn surface_that_meets_a_full_disk_says_so_and_goes_on_once_there_is_room() {
    let place = finished(&[]);
    let surface = "surface run --grid=41 --no-accuracy";
    // A limit on the size of files ends in the same error as the end of a disk.
    let limited = format!(
        "ulimit -f 8; exec {} {surface}",
        env!("CARGO_BIN_EXE_landscape")
    );
    let ended = Command::new("sh")
        .args(["-c", &limited])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    Ended::from(ended).expect(1, &["points-1.slice", "make room"]);
    let found = place
        .landscape(&[&surface.split(' ').collect::<Vec<_>>()[..], &["--json"]].concat())
        .expect(0, &[])
        .json();
    let results = &found["slices"][0]["results"];
    assert!(
        results["evaluated_earlier"].as_u64().unwrap() > 0,
        "{results}"
    );
    assert_eq!(results["evaluated"], 41 * 41);
}
