//! What `landscape spectrum`, `sharpness` and `critical` find on checkpoints of runs and in files
//! that PyTorch wrote, and what they leave alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::store::ModuleRecord;
use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, SplitConfig, batches, fixed_sample};
use landscape::critical::{CriticalConfig, EscapeConfig, critical_point, follow_escape};
use landscape::sharpness::{AverageConfig, RandomBallConfig, Scale, SharpnessConfig, sharpness};
use landscape::spectrum::{Which, dense_spectrum};
use landscape::{
    DensityConfig, GaussNewton, Hessian, LanczosConfig, Reduction, Risk, spectral_density,
    top_eigenpairs,
};
use models::{Cnn, CnnConfig, Mlp, MlpConfig};
use serde_json::Value;

use crate::program::{Ended, Workplace, checkpoints};

/// Images and labels.
pub(crate) type Batch = (Tensor<4>, Tensor<1, Int>);

/// A workplace with a finished run in `run`, whose network has 64 x 16 + 16 + 16 x 10 + 10
/// parameters.
pub(crate) fn finished(more: &[&str]) -> Workplace {
    let place = Workplace::new();
    train(&place, &[&["--output=run"], more].concat());
    place
}

pub(crate) fn train(place: &Workplace, flags: &[&str]) {
    place
        .landscape(&[&["train", "--no-probes"], flags].concat())
        .expect(0, &[]);
}

/// The path of the weights of the last checkpoint of a run.
pub(crate) fn weights(place: &Workplace, run: &str) -> std::path::PathBuf {
    let step = checkpoints(&place.path(run)).pop().unwrap();
    place
        .path(run)
        .join("checkpoints")
        .join(step)
        .join("model.bpk")
}

pub(crate) fn mlp(place: &Workplace, run: &str) -> Mlp {
    let record = ModuleRecord::load(weights(place, run)).unwrap();
    let device = Device::flex().autodiff();
    let network = MlpConfig::new(vec![64, 16, 10]).init(&device).unwrap();
    network.load_record(record)
}

/// The sample of the runs of the small workspace: 32 training images.
pub(crate) fn sample() -> Vec<Batch> {
    let split = SplitConfig::new().with_validation(0.2).with_seed(0);
    let train = Digits::load().unwrap().split(&split).unwrap().train;
    let sample = train.select(&fixed_sample(0, 32, train.len()));
    batches(&sample, 1024, &Device::flex())
        .unwrap()
        .into_iter()
        .map(|batch| (batch.images, batch.labels))
        .collect()
}

fn loss(logits: Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits, labels.clone())
}

pub(crate) fn risk() -> Risk<Mlp, Batch> {
    Risk::mean(sample(), |model: &Mlp, (images, labels): &Batch| {
        loss(model.forward(images.clone()), labels)
    })
}

fn numbers(values: &Value, key: &str) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value[key].as_f64().unwrap()).collect()
}

/// The files below a folder with their content, but for lock files.
pub(crate) fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            for (inner, bytes) in content(&path) {
                found.insert(format!("{name}/{inner}"), bytes);
            }
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// Writes tensors as the format of safetensors has them: the length of a header, the header in
/// JSON, the numbers in little-endian order.
fn write_safetensors(path: &Path, tensors: &[(&str, Vec<usize>, Vec<f32>)]) {
    let mut header = serde_json::Map::new();
    let mut bytes = Vec::new();
    for (name, shape, values) in tensors {
        let begin = bytes.len();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [begin, bytes.len()]
        });
        header.insert((*name).to_owned(), entry);
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(bytes);
    fs::write(path, file).unwrap();
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// The tensors of a linear layer as PyTorch keeps them: the weight has a row for each output.
fn linear(layer: &burn::nn::Linear) -> [(Vec<usize>, Vec<f32>); 2] {
    let [inputs, outputs] = layer.weight.dims();
    let ours = values(layer.weight.val());
    let entry = |index: usize| ours[(index % inputs) * outputs + index / inputs];
    let weight = (0..inputs * outputs).map(entry).collect();
    let bias = values(layer.bias.as_ref().unwrap().val());
    [(vec![outputs, inputs], weight), (vec![outputs], bias)]
}

/// Writes an MLP under the names of a `Sequential` of PyTorch, in which activations have places
/// too.
pub(crate) fn write_sequential(path: &Path, model: &Mlp) {
    let mut tensors = Vec::new();
    let names = [["0.weight", "0.bias"], ["2.weight", "2.bias"]];
    for (layer, names) in model.layers.iter().zip(names) {
        let [weight, bias] = linear(layer);
        tensors.push((names[0], weight.0, weight.1));
        tensors.push((names[1], bias.0, bias.1));
    }
    write_safetensors(path, &tensors);
}

/// What takes the names of `write_sequential` to those of an `Mlp`.
pub(crate) const RENAMES: [&str; 2] = [
    "--torch-rename=^0\\.=layers.0.",
    "--torch-rename=^2\\.=layers.1.",
];

#[test]
fn spectrum_of_a_checkpoint_is_that_of_the_library() {
    let place = finished(&[]);
    let found = place
        .landscape(&["spectrum", "run", "--bottom=2", "--trace=probes", "--json"])
        .expect(0, &[])
        .json();
    let stored = fs::read_to_string(place.path("run/spectrum-34/spectrum.json")).unwrap();
    assert_eq!(found, serde_json::from_str::<Value>(&stored).unwrap());
    assert_eq!(found["schema"], "landscape-spectrum/1");
    assert_eq!(
        (&found["status"], &found["examples"]),
        (&"finished".into(), &32.into())
    );
    let model = mlp(&place, "run");
    let hessian = Hessian::at(&model, &risk()).unwrap();
    let lanczos = LanczosConfig::new().with_seed(42).with_max_steps(300);
    let results = &found["models"][0]["results"];
    let top = top_eigenpairs(&hessian, 5, &lanczos).unwrap();
    let smallest = lanczos.with_which(Which::SmallestAlgebraic);
    let bottom = top_eigenpairs(&hessian, 2, &smallest).unwrap();
    for (key, pairs) in [("top", &top), ("bottom", &bottom)] {
        let expected: Vec<f64> = pairs.iter().map(|pair| pair.value).collect();
        assert_eq!(numbers(&results["eigenvalues"][key], "value"), expected);
        let expected: Vec<f64> = pairs.iter().map(|pair| pair.residual).collect();
        assert_eq!(numbers(&results["eigenvalues"][key], "residual"), expected);
    }
    let config = DensityConfig::new().with_seed(42).with_starts(4);
    let density = spectral_density(&hessian, &config).unwrap();
    let stored = fs::read_to_string(place.path("run/spectrum-34/density.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    for (key, expected) in [("nodes", &density.nodes), ("density", &density.density)] {
        let found = stored[key].as_array().unwrap().iter();
        assert_eq!(
            &found.map(|v| v.as_f64().unwrap()).collect::<Vec<_>>(),
            expected
        );
    }
    assert_eq!(results["density"]["products"], 201);
    let (value, gradient) = risk().gradient(&model).unwrap();
    let norm = landscape::norm(&landscape::download(&gradient));
    assert_eq!(results["loss"]["value"].as_f64(), Some(value));
    assert_eq!(results["loss"]["gradient_norm"].as_f64(), Some(norm));
    // The layers' traces come from the same probes as the whole.
    let layers = numbers(&results["trace"]["layers"], "value");
    let sum: f64 = layers.iter().sum();
    let whole = results["trace"]["value"].as_f64().unwrap();
    assert!((sum - whole).abs() < 1e-12 * whole && layers.len() == 2);
    for file in [
        "density.png",
        "density.svg",
        "density.csv",
        "density-nodes.csv",
    ] {
        assert!(place.path("run/spectrum-34").join(file).is_file(), "{file}");
    }
}

#[test]
fn whole_spectrum_of_some_parameters_has_their_trace_and_their_ends() {
    let place = finished(&[]);
    let find = |flags: &[&str]| {
        let some = [
            "spectrum",
            "run",
            "--parameters=layers.1.*",
            "--json",
            "--overwrite",
        ];
        let found = place.landscape(&[&some, flags].concat()).expect(0, &[]);
        found.json()["models"][0]["results"].clone()
    };
    let dense = find(&["--dense"])["dense"].clone();
    let all = dense["eigenvalues"].as_array().unwrap();
    assert_eq!(all.len(), 16 * 10 + 10);
    let sampled = find(&[]);
    // ReLU: the trace is exact, and both ways round at 1e-7 or so.
    let trace = &sampled["trace"];
    assert_eq!(trace["exact"], true);
    let (exact, sum) = (
        trace["value"].as_f64().unwrap(),
        dense["trace"].as_f64().unwrap(),
    );
    assert!((exact - sum).abs() < 1e-5 * sum, "{exact} {sum}");
    let layers = trace["layers"].as_array().unwrap();
    assert_eq!((layers.len(), &layers[0]["layer"]), (1, &"layers.1".into()));
    let top = numbers(&sampled["eigenvalues"]["top"], "value");
    for (found, expected) in top.iter().zip(all.iter().rev()) {
        let expected = expected.as_f64().unwrap();
        // The tolerance of Lanczos, 1e-5 of the largest.
        assert!(
            (found - expected).abs() < 1e-5 * top[0],
            "{found} {expected}"
        );
    }
    // The block of the Hessian of the last layer is that of the library's restriction.
    let hessian = Hessian::at(&mlp(&place, "run"), &risk()).unwrap();
    let part =
        landscape::operator::Restricted::to_parameters(&hessian, hessian.space(), &["layers.1.*"]);
    let expected = dense_spectrum(&part.unwrap()).unwrap().values;
    let found: Vec<f64> = all.iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(found, expected);
}

#[test]
fn gauss_newton_matrix_is_that_of_the_outputs_and_a_workload_without_them_says_so() {
    let place = finished(&["--activation=tanh"]);
    let found = place
        .landscape(&[
            "spectrum",
            "run",
            "--matrix=gauss-newton",
            "--top=3",
            "--json",
        ])
        .expect(0, &[])
        .json();
    let device = Device::flex().autodiff();
    let config = MlpConfig::new(vec![64, 16, 10]).with_activation(models::Activation::Tanh);
    let record = ModuleRecord::load(weights(&place, "run")).unwrap();
    let model: Mlp = config.init(&device).unwrap().load_record(record);
    let risk = Risk::of(
        sample(),
        |model: &Mlp, (images, _): &Batch| model.forward(images.clone()),
        |logits: Tensor<2>, (_, labels): &Batch| loss(logits, labels),
        Reduction::Mean,
    );
    let matrix = GaussNewton::at(&model, &risk).unwrap();
    let lanczos = LanczosConfig::new().with_seed(42).with_max_steps(300);
    let expected: Vec<f64> = top_eigenpairs(&matrix, 3, &lanczos)
        .unwrap()
        .iter()
        .map(|pair| pair.value)
        .collect();
    let results = &found["models"][0]["results"];
    assert_eq!(numbers(&results["eigenvalues"]["top"], "value"), expected);
    assert_eq!(results["trace"]["exact"], true);
    // Before tanh the Hessian's trace is not exact, and the result says so.
    let hessian = place
        .landscape(&["spectrum", "run", "--json", "--overwrite"])
        .expect(0, &[])
        .json();
    let trace = &hessian["models"][0]["results"]["trace"];
    assert_eq!(trace["exact"], false);
    let exact: Vec<bool> = trace["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["exact"].as_bool().unwrap())
        .collect();
    assert_eq!(exact, [false, true]);
    assert_eq!(trace["gauss_newton"], results["trace"]["value"]);
    let fisher = [
        "spectrum",
        "run",
        "--matrix=fisher",
        "--overwrite",
        "--json",
    ];
    let fisher = place.landscape(&fisher).expect(0, &[]).json();
    let least = &fisher["models"][0]["results"]["eigenvalues"]["bottom"][0];
    let largest = &fisher["models"][0]["results"]["eigenvalues"]["top"][0];
    // No eigenvalue is negative, up to the rounding of f32.
    assert!(least["value"].as_f64().unwrap() > -1e-5 * largest["value"].as_f64().unwrap());
}

#[test]
fn file_of_pytorch_has_the_numbers_of_the_checkpoint_that_it_was_made_of() {
    let place = finished(&[]);
    write_sequential(&place.path("weights.safetensors"), &mlp(&place, "run"));
    let command = |command: &str, more: &[&str]| {
        let found = place.landscape(&[&[command, "--json"], more].concat());
        let found = found.expect(0, &[]).json();
        let mut model = found["models"][0].clone();
        for result in model["results"].as_object_mut().unwrap().values_mut() {
            result.as_object_mut().unwrap().remove("seconds");
        }
        model
    };
    for name in ["spectrum", "sharpness", "critical"] {
        let from_run = command(name, &["run"]);
        let file = ["--torch=weights.safetensors", RENAMES[0], RENAMES[1]];
        let from_file = command(name, &file);
        for key in ["network", "parameters", "weights_crc32c", "results"] {
            assert_eq!(from_run[key], from_file[key], "{name} {key}");
        }
        assert_eq!(from_file["origin"]["torch"], "weights.safetensors");
        let document = place.path(&format!("weights-{name}/{name}.json"));
        assert!(document.is_file(), "{name}");
    }
    // Beside a run it has the run's network, also where that is not the one of the defaults.
    train(&place, &["--hidden=8,8", "--output=other"]);
    let wrong = [
        "spectrum",
        "other",
        "--torch=weights.safetensors",
        RENAMES[0],
        RENAMES[1],
    ];
    let words = [
        "do not fit the model",
        "layers.0.weight has the shape",
        "layers.2.weight",
    ];
    place.landscape(&wrong).expect(2, &words);
    let right = [&wrong[..], &["--hidden=16", "--output=both", "--json"]].concat();
    let both = place.landscape(&right).expect(0, &[]).json();
    assert_eq!(both["models"].as_array().unwrap().len(), 2);
}

#[test]
fn file_of_a_convolutional_network_brings_its_running_statistics() {
    let place = finished(&["--model=cnn-batch-norm", "--epochs=1"]);
    let device = Device::flex().autodiff();
    let record = ModuleRecord::load(weights(&place, "run")).unwrap();
    let config = CnnConfig::new(8).with_batch_norm(true);
    let model: Cnn = config.init(&device).unwrap().load_record(record);
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
    for (name, conv) in [("conv1", &model.conv1), ("conv2", &model.conv2)] {
        let weight = conv.weight.val();
        let shape = weight.dims().to_vec();
        tensors.push((format!("{name}.weight"), shape, values(weight)));
        let bias = values(conv.bias.as_ref().unwrap().val());
        tensors.push((format!("{name}.bias"), vec![bias.len()], bias));
    }
    for (name, norm) in [("bn1", &model.bn1), ("bn2", &model.bn2)] {
        let norm = norm.as_ref().unwrap();
        for (part, tensor) in [
            ("weight", norm.gamma.val()),
            ("bias", norm.beta.val()),
            ("running_mean", norm.running_mean.value()),
            ("running_var", norm.running_var.value()),
        ] {
            let of = values(tensor);
            tensors.push((format!("{name}.{part}"), vec![of.len()], of));
        }
        tensors.push((format!("{name}.num_batches_tracked"), vec![1], vec![17.0]));
    }
    let [weight, bias] = linear(&model.fc);
    tensors.push(("fc.weight".to_owned(), weight.0, weight.1));
    tensors.push(("fc.bias".to_owned(), bias.0, bias.1));
    let named: Vec<(&str, Vec<usize>, Vec<f32>)> = tensors
        .iter()
        .map(|(name, shape, values)| (name.as_str(), shape.clone(), values.clone()))
        .collect();
    write_safetensors(&place.path("cnn.safetensors"), &named);
    let both = [
        "spectrum",
        "run",
        "--torch=cnn.safetensors",
        "--no-density",
        "--json",
    ];
    let both = place.landscape(&both).expect(0, &[]).json();
    let results = |index: usize| &both["models"][index]["results"];
    assert_eq!(results(0)["loss"], results(1)["loss"]);
    assert_eq!(
        results(0)["eigenvalues"]["top"],
        results(1)["eigenvalues"]["top"]
    );
    let checksum = |index: usize| &both["models"][index]["weights_crc32c"];
    assert_eq!(checksum(0), checksum(1));
    // Paths are those of the network.
    let some = [
        "spectrum",
        "run",
        "--parameters=conv*",
        "--no-density",
        "--json",
    ];
    let some = place.landscape(&some).expect(0, &[]).json();
    let layers = some["models"][0]["results"]["trace"]["layers"]
        .as_array()
        .unwrap();
    let names: Vec<&str> = layers
        .iter()
        .map(|l| l["layer"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["conv1", "conv2"]);
}

#[test]
fn several_runs_come_into_one_table_of_any_width_and_one_picture() {
    let place = Workplace::new();
    place
        .landscape(&["run", "pair", "--no-probes"])
        .expect(0, &[]);
    let found = place
        .landscape(&["spectrum", "runs/pair", "--json"])
        .expect(0, &[])
        .json();
    let names: Vec<&str> = found["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["sgd", "sam"]);
    let files: Vec<&str> = found["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file.as_str().unwrap())
        .collect();
    for file in [
        "density.png",
        "density.svg",
        "density-1-sgd.json",
        "density-2-sam.csv",
    ] {
        assert!(files.contains(&file), "{files:?}");
    }
    let svg = fs::read_to_string(place.path("runs/pair/spectrum/density.svg")).unwrap();
    assert!(svg.contains("sgd: λ ") && svg.contains("sam: λ "));
    for command in ["spectrum", "sharpness", "critical"] {
        for columns in [40, 80, 120] {
            for run in ["runs/pair", "runs/pair/sgd"] {
                let output = place
                    .command(&[command, run, "--overwrite"])
                    .env("COLUMNS", columns.to_string())
                    .output();
                let ended = Ended::from(output.unwrap()).expect(0, &[]);
                for line in ended.out.lines() {
                    // The folder may be longer than a line.
                    let is_folder = line.starts_with("Numbers and pictures");
                    assert!(
                        is_folder || line.chars().count() <= columns,
                        "{command} {columns}: {line}"
                    );
                }
                assert!(ended.out.contains("gradient"), "{}", ended.out);
            }
        }
    }
}

#[test]
fn every_checkpoint_of_a_run_has_its_column() {
    let place = finished(&["--keep=all"]);
    let all = ["spectrum", "run", "--step=all", "--no-density", "--json"];
    let all = place.landscape(&all).expect(0, &[]).json();
    let models = all["models"].as_array().unwrap();
    let names: Vec<&str> = models.iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["step 0", "step 17", "step 34"]);
    assert!(place.path("run/spectrum/spectrum.json").is_file());
    let one = ["spectrum", "run", "--step=17", "--no-density", "--json"];
    let one = place.landscape(&one).expect(0, &[]).json();
    assert_eq!(
        one["models"][0]["results"]["eigenvalues"]["top"],
        models[1]["results"]["eigenvalues"]["top"]
    );
}

#[test]
fn sharpness_is_that_of_the_library_with_its_flags() {
    let place = finished(&[]);
    let ended = place.landscape(&[
        "sharpness",
        "run",
        "--directions=20",
        "--pairs=10",
        "--json",
    ]);
    let found = ended.expect(0, &[]).json();
    assert_eq!(found["schema"], "landscape-sharpness/1");
    let average = AverageConfig::new().with_probes(50).with_pairs(10);
    let scaled = average.with_sigma(0.1).with_scale(Scale::INVARIANT);
    let config = SharpnessConfig::new()
        .with_random(RandomBallConfig::new().with_directions(20))
        .with_averages(vec![average, scaled])
        .seeded(42);
    let report = sharpness(&mlp(&place, "run"), &risk(), &config).unwrap();
    let measures = &found["models"][0]["results"]["sharpness"]["measures"];
    let measures = measures.as_array().unwrap();
    let expected = report.measures();
    assert_eq!(measures.len(), expected.len());
    for (found, expected) in measures.iter().zip(&expected) {
        let name = &expected.name;
        assert_eq!(found["name"], *name);
        assert_eq!(found["value"].as_f64(), Some(expected.value), "{name}");
        assert_eq!(found["error"].as_f64(), Some(expected.error), "{name}");
        assert_eq!(found["invariant"], expected.rescaling.to_string(), "{name}");
    }
    let table = place
        .landscape(&[
            "sharpness",
            "run",
            "--directions=20",
            "--pairs=10",
            "--overwrite",
        ])
        .expect(0, &[])
        .out;
    let row = |label: &str| {
        let line = table
            .lines()
            .find(|line| line.trim_start().starts_with(label));
        let line = line.unwrap_or_else(|| panic!("no {label} in {table}"));
        line.trim_start()[label.len()..]
            .split_whitespace()
            .next()
            .unwrap()
    };
    assert_eq!(row("l2 0.05: ascent"), "no");
    assert_eq!(row("|w| 0.5: ascent"), "yes");
    assert_eq!(row("lambda_max"), "no");
    assert!(table.contains("claimed to predict"), "{table}");
}

#[test]
fn verdict_and_step_down_are_those_of_the_library() {
    let place = finished(&["--epochs=1"]);
    let ended = place.landscape(&["critical", "run", "--json"]);
    let found = ended.expect(0, &[]).json();
    let result = &found["models"][0]["results"]["critical"];
    let (model, risk) = (mlp(&place, "run"), risk());
    let config = CriticalConfig::new().with_seed(42);
    let point = critical_point(&model, &risk, &config).unwrap();
    assert_eq!(result["kind"], point.kind.name());
    // One epoch is no convergence.
    assert_eq!(result["kind"], "not_critical");
    assert_eq!(result["because"], point.because);
    assert_eq!(
        result["lambda_min"]["value"].as_f64(),
        Some(point.min.value)
    );
    assert_eq!(result["index"]["at_least"], point.index.at_least);
    let escape = point
        .escape
        .expect("a network in training has negative curvature");
    let step = follow_escape(&model, &risk, &escape, &EscapeConfig::new()).unwrap();
    assert!(step.falls);
    let stated = &result["escape"]["step"];
    assert_eq!(stated["falls"], true);
    assert_eq!(stated["decrease"].as_f64(), Some(step.decrease));
    let table = place
        .landscape(&["critical", "run", "--overwrite"])
        .expect(0, &[])
        .out;
    let words: String = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "not critical: the gradient's norm",
        "the loss falls from",
        "the quadratic model said",
    ] {
        assert!(words.contains(part), "no {part:?} in {table}");
    }
}

#[test]
fn mistakes_are_said_in_one_sentence_and_leave_nothing_behind() {
    let place = finished(&[]);
    train(&place, &["--dataset=other-split", "--output=other"]);
    write_sequential(&place.path("weights.safetensors"), &mlp(&place, "run"));
    let whole = fs::read(place.path("weights.safetensors")).unwrap();
    fs::write(place.path("cut.safetensors"), &whole[..whole.len() / 2]).unwrap();
    fs::write(place.path("text.safetensors"), "not a file of tensors").unwrap();
    fs::write(place.path("empty.safetensors"), "").unwrap();
    let tensor = |name| (name, vec![2_usize], vec![0.0_f32; 2]);
    let strange = [tensor("layers.0.weight"), tensor("strange")];
    write_safetensors(&place.path("strange.safetensors"), &strange);
    fs::create_dir(place.path("nothing")).unwrap();
    let before = content(&place.path("."));
    let torch = |file: &'static str| ["--torch", file];
    for (arguments, code, words) in [
        (&["spectrum"][..], 2, &["<RUN>"][..]),
        (
            &["spectrum", "run", "--top=1211"],
            2,
            &["--top", "from 0 to 100"],
        ),
        (
            &["spectrum", "run", "--bottom=-1"],
            2,
            &["--bottom", "from 0 to 100"],
        ),
        (
            &["spectrum", "run", "--parameters=layers.1.bias", "--top=11"],
            2,
            &["--top: 11 ", "10 parameters", "at most 10"],
        ),
        (
            &["spectrum", "run", "--starts=0"],
            2,
            &["--starts", "from 1 to 1000"],
        ),
        (
            &["spectrum", "run", "--steps=0"],
            2,
            &["--steps", "from 1 to 1000"],
        ),
        (
            &["spectrum", "run", "--trace-error=0"],
            2,
            &["--trace-error", "greater than 0"],
        ),
        (
            &["spectrum", "run", "--tolerance=nan"],
            2,
            &["--tolerance", "finite number"],
        ),
        (
            &["spectrum", "run", "--parameters=conv*"],
            2,
            &["--parameters: ", "`conv*`", "layers.0.weight"],
        ),
        (
            &[
                "spectrum",
                "run",
                "--top=0",
                "--bottom=0",
                "--no-trace",
                "--no-density",
            ],
            2,
            &["nothing to measure"],
        ),
        (
            &["spectrum", "run", "--dense", "--starts=3"],
            2,
            &["cannot be used with"],
        ),
        (
            &["spectrum", "run", "--matrix=hess"],
            2,
            &["hessian, gauss-newton, fisher"],
        ),
        (&["spectrum", "run", "--step=5"], 2, &["steps 17, 34"]),
        (
            &["spectrum", "run", "--step=soon"],
            2,
            &["`latest`, `best` or `all`"],
        ),
        (
            &["spectrum", "elsewhere"],
            2,
            &["there is no run elsewhere"],
        ),
        (
            &["spectrum", "nothing"],
            2,
            &["nothing holds no checkpoints"],
        ),
        (
            &["spectrum", "run", "other"],
            2,
            &["cannot be measured together", "split seeds"],
        ),
        (
            &["spectrum", "run", "--output=run"],
            2,
            &["holds a training"],
        ),
        (
            &["spectrum", "run", "--output=nothing/../workspace.toml"],
            2,
            &["is a file"],
        ),
        (
            &["spectrum", "run", "--device=cuda"],
            2,
            &["--device: `cuda`"],
        ),
        (&["spectrum", "run", "--hidden=8"], 2, &["--torch"]),
        (
            &["sharpness", "run", "--rho=0"],
            2,
            &["--rho", "greater than 0"],
        ),
        (
            &["sharpness", "run", "--rho=-1"],
            2,
            &["--rho", "greater than 0"],
        ),
        (
            &["sharpness", "run", "--adaptive-box=inf"],
            2,
            &["--adaptive-box", "finite"],
        ),
        (
            &["sharpness", "run", "--sigma=nan"],
            2,
            &["--sigma", "finite"],
        ),
        (
            &["sharpness", "run", "--directions=0"],
            2,
            &["--directions", "from 1"],
        ),
        (
            &["critical", "run", "--gradient-tolerance=1"],
            2,
            &["--gradient-tolerance", "below 1"],
        ),
        (
            &["critical", "run", "--dense-limit=5000"],
            2,
            &["--dense-limit", "from 1 to 4096"],
        ),
        (
            &[&["spectrum"], &torch("none.safetensors")[..]].concat(),
            2,
            &["there is no file none"],
        ),
        (
            &[&["spectrum"], &torch("weights.safetensors")[..]].concat(),
            2,
            &[
                "do not fit the model",
                "lacks layers.0.bias, layers.0.weight",
                "no place for 0.bias",
            ],
        ),
        (
            &[&["critical"], &torch("strange.safetensors")[..]].concat(),
            2,
            &[
                "lacks",
                "layers.1.bias",
                "no place for strange",
                "layers.0.weight has the shape",
            ],
        ),
        (
            &[
                &["spectrum"],
                &torch("weights.safetensors")[..],
                &["--torch-rename=(=x"],
            ]
            .concat(),
            2,
            &["no regular expression"],
        ),
        (
            &[
                &["spectrum"],
                &torch("weights.safetensors")[..],
                &["--torch-rename=x"],
            ]
            .concat(),
            2,
            &["PATTERN=NEW"],
        ),
        (
            &[
                &["spectrum"],
                &torch("weights.safetensors")[..],
                &["--dataset=digit"],
            ]
            .concat(),
            2,
            &["did you mean `digits`?"],
        ),
        (
            &[
                &["spectrum"],
                &torch("weights.safetensors")[..],
                &["--model=cnn", "--hidden=3"],
            ]
            .concat(),
            2,
            &["--hidden", "the model is cnn"],
        ),
        (
            &[&["spectrum"], &torch("cut.safetensors")[..]].concat(),
            1,
            &["cut.safetensors"],
        ),
        (
            &[&["sharpness"], &torch("text.safetensors")[..]].concat(),
            1,
            &["text.safetensors"],
        ),
        (
            &[&["critical"], &torch("empty.safetensors")[..]].concat(),
            1,
            &["empty.safetensors"],
        ),
    ] {
        let ended = place.landscape(arguments).expect(code, words);
        let errors = ended.err.lines().filter(|line| line.contains("error:"));
        assert_eq!(errors.count(), 1, "{arguments:?}: {}", ended.err);
        assert!(ended.out.is_empty(), "{arguments:?}: {}", ended.out);
        assert_eq!(before, content(&place.path(".")), "{arguments:?}");
    }
}

#[test]
fn damaged_checkpoint_and_weights_that_are_no_numbers_are_reported() {
    let place = finished(&["--keep=all"]);
    let path = weights(&place, "run");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let named = ["spectrum", "run", "--step=34"];
    place
        .landscape(&named)
        .expect(1, &["step-00000034 is damaged", "checksum"]);
    assert!(!place.path("run/spectrum-34").exists());
    // The one before serves, with a warning.
    let latest = ["spectrum", "run", "--no-density"];
    let ended = place
        .landscape(&latest)
        .expect(0, &["warning", "is damaged"]);
    assert!(ended.out.contains("17"), "{}", ended.out);
    let model = MlpConfig::new(vec![64, 16, 10])
        .init(&Device::flex())
        .unwrap();
    let mut tensors = Vec::new();
    for (names, layer) in [
        ["layers.0.weight", "layers.0.bias"],
        ["layers.1.weight", "layers.1.bias"],
    ]
    .into_iter()
    .zip(&model.layers)
    {
        let [weight, bias] = linear(layer);
        tensors.push((names[0], weight.0, weight.1));
        tensors.push((names[1], bias.0, vec![f32::NAN; bias.1.len()]));
    }
    write_safetensors(&place.path("nan.safetensors"), &tensors);
    for command in ["spectrum", "sharpness", "critical"] {
        let ended = place.landscape(&[command, "--torch=nan.safetensors", "--json"]);
        let ended = ended.expect(1, &["failed: nan.safetensors: ", "NaN"]);
        let found = ended.json();
        assert!(
            !found["models"][0]["failures"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn earlier_findings_are_replaced_only_when_asked_and_the_run_is_only_read() {
    let place = finished(&[]);
    let run = content(&place.path("run"));
    let find = |more: &[&str]| place.landscape(&[&["spectrum", "run"], more].concat());
    find(&[]).expect(0, &[]);
    let first = content(&place.path("run/spectrum-34"));
    find(&["--no-density"]).expect(2, &["holds a spectrum", "--overwrite", "--output DIR"]);
    assert_eq!(first, content(&place.path("run/spectrum-34")));
    find(&["--no-density", "--overwrite"]).expect(0, &[]);
    let names: Vec<String> = content(&place.path("run/spectrum-34"))
        .into_keys()
        .collect();
    assert_eq!(names, [".writer.lock", "spectrum.json"]);
    // What another command found is not taken for a spectrum.
    let other = [
        "sharpness",
        "run",
        "--output=run/spectrum-34",
        "--overwrite",
    ];
    place
        .landscape(&other)
        .expect(2, &["not a measurement of sharpness's"]);
    let mut after = content(&place.path("run"));
    after.retain(|name, _| !name.starts_with("spectrum-34/"));
    assert_eq!(run, after);
}

#[cfg(unix)]
#[test]
fn interrupted_spectrum_keeps_what_it_has() {
    let place = finished(&[]);
    let mut child = place
        .command(&["spectrum", "run", "--starts=1000"])
        .spawn()
        .unwrap();
    let document = place.path("run/spectrum-34/spectrum.json");
    while !document.exists() {
        assert!(child.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(5));
    }
    // Eigenvalues and trace take a fraction of a second, the density 50,000 products.
    sleep(Duration::from_millis(1500));
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let stopped: Value = serde_json::from_slice(&fs::read(&document).unwrap()).unwrap();
    assert_eq!(stopped["status"], "interrupted");
    let results = &stopped["models"][0]["results"];
    assert!(results["eigenvalues"]["top"][0]["value"].is_number());
    assert!(results.get("density").is_none());
}

#[test]
fn own_workload_has_the_same_commands_and_says_what_it_lacks() {
    let place = Workplace::with("[defaults]\nepochs = 1\ncurvature_examples = 64\n");
    let waves = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waves"));
        command.args(arguments).current_dir(place.path(""));
        Ended::from(command.output().unwrap())
    };
    waves(&["train", "--no-probes", "--output", "run"]).expect(0, &[]);
    let device = Device::flex().autodiff();
    let record = ModuleRecord::load(weights(&place, "run")).unwrap();
    let fresh = [(1, 32), (32, 1)]
        .map(|(inputs, outputs)| burn::nn::LinearConfig::new(inputs, outputs).init(&device));
    let model: [burn::nn::Linear; 2] = fresh.load_record(record);
    let mut tensors = Vec::new();
    for (names, layer) in [["0.weight", "0.bias"], ["1.weight", "1.bias"]]
        .into_iter()
        .zip(&model)
    {
        let [weight, bias] = linear(layer);
        tensors.push((names[0], weight.0, weight.1));
        tensors.push((names[1], bias.0, bias.1));
    }
    write_safetensors(&place.path("waves.safetensors"), &tensors);
    let both = [
        "spectrum",
        "run",
        "--torch=waves.safetensors",
        "--dense",
        "--json",
    ];
    let both = waves(&both).expect(0, &[]).json();
    let of = |index: usize| &both["models"][index]["results"]["dense"]["eigenvalues"];
    assert_eq!(of(0).as_array().unwrap().len(), 97);
    assert_eq!(of(0), of(1));
    let words = [
        "--matrix gauss-newton",
        "`waves`",
        "`Workload::outputs`",
        "allowed: hessian",
    ];
    waves(&["spectrum", "run", "--matrix=gauss-newton"]).expect(2, &words);
    waves(&["sharpness", "run"]).expect(0, &[]);
    let verdict = waves(&["critical", "run", "--json"]).expect(0, &[]).json();
    let inertia = &verdict["models"][0]["results"]["critical"]["inertia"];
    let counted: u64 = ["negative", "zero", "positive"]
        .iter()
        .map(|part| inertia[part].as_u64().unwrap())
        .sum();
    assert_eq!(counted, 97);
    let help = waves(&["spectrum", "--help"]).expect(0, &[]).out;
    assert!(
        help.contains("waves spectrum --torch") && !help.contains("--dataset"),
        "{help}"
    );
    // A run of the bundled networks is another program's.
    let bundled = finished(&[]);
    let run = bundled.path("run");
    waves(&["spectrum", run.to_str().unwrap()]).expect(2, &["mlp on digits", "`waves`"]);
}
