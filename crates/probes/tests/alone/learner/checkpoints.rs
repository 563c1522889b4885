//! A run that goes on from the learner's checkpoints.

use burn::tensor::Device;
use probes::learner::{Epochs, last_checkpoint};
use probes::sink::Memory;
use probes::{Probes, Schedule};
use tensorboard::{existing_event_files, read_events};

use super::net::{BATCH, ITEMS, Net, Reading, bits, train};

#[test]
fn resumed_run_goes_on_at_its_step_and_its_records_are_those_of_one_run() {
    let device = Device::flex().autodiff();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let run = |name: &str, epochs, checkpoint| {
        let memory = Memory::new();
        let steps = Epochs::new(epochs, ITEMS, BATCH).after(checkpoint);
        let board = at(name).join("tensorboard");
        let probes = Probes::unlimited()
            .with(Schedule::every(1), Reading("every"))
            .without_cost_records()
            .with_sink(memory.clone())
            .with_sink(steps.tensor_board(board).unwrap());
        let (net, summary) = train(&at(name), Net::fixed(&device), probes, epochs, checkpoint);
        assert!(summary.undelivered.is_empty(), "{:?}", summary.undelivered);
        (bits(&net), memory)
    };
    let (whole, all) = run("whole", 4, None);
    // A run that was three epochs far, of whose checkpoints the second is the last whole one.
    let (_, first) = run("parts", 3, None);
    let model = at("parts").join("checkpoint/model-3.bpk");
    assert_eq!(last_checkpoint(at("parts")), Some(3));
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let checkpoint = last_checkpoint(at("parts"));
    assert_eq!(checkpoint, Some(2));
    let (parts, second) = run("parts", 4, checkpoint);
    assert_eq!(parts, whole);

    for tag in [
        "reading/every",
        "loss/train",
        "loss/valid",
        "training/learning_rate",
    ] {
        let mut joined = first.scalars(tag);
        joined.retain(|(step, _)| *step <= 6);
        joined.extend(second.scalars(tag));
        assert_eq!(joined, all.scalars(tag), "{tag}");
    }
    // The second file says where it starts, so that TensorBoard drops what the first has from there on.
    let files = existing_event_files(at("parts").join("tensorboard")).unwrap();
    assert_eq!(files.len(), 2);
    let steps = |tag: &str, file: usize| -> Vec<i64> {
        let scalars = read_events(&files[file]).unwrap().scalars(tag);
        scalars.into_iter().map(|(step, _)| step).collect()
    };
    assert_eq!(steps("loss/train", 1), (7..=12).collect::<Vec<_>>());
    assert_eq!(steps("reading/every", 0), (0..=9).collect::<Vec<_>>());
}

#[test]
fn folder_without_checkpoints_has_no_last_one() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(last_checkpoint(folder.path()), None);
    let checkpoints = folder.path().join("checkpoint");
    std::fs::create_dir(&checkpoints).unwrap();
    std::fs::write(checkpoints.join("model-1.bpk"), b"").unwrap();
    std::fs::write(checkpoints.join("model-x.bpk"), b"").unwrap();
    assert_eq!(last_checkpoint(folder.path()), None);
}
