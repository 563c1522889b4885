//! Files and bytes that are not what they should be.

use burn::module::Module;
use burn::tensor::{Bytes, DType, Shape};
use burn_pack::{Scalar, Writer};
use proptest::prelude::*;
use sam::{AnyMethod, FriendlySamConfig, LookSamConfig, SamConfig, StateRecord};

use crate::methods::{Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::nets::{bits, gradients};
use crate::properties::resumed::path;
use crate::properties::training::{Training, record};

fn plain() -> AnyMethod {
    let sam = SamConfig::new().init();
    sam.expect("settings in range").into_any()
}

fn friendly() -> AnyMethod {
    let friendly = FriendlySamConfig::new().init();
    friendly.expect("settings in range").into_any()
}

fn read(bytes: &[u8]) -> Option<StateRecord> {
    StateRecord::from_bytes(Bytes::from_bytes_vec(bytes.to_vec())).ok()
}

fn cut_is_refused_or_whole(name: &str, method: AnyMethod, case: &Case, part: f64) {
    let fresh = method.clone();
    let mut training = Training::new(case, method);
    training.step(case, 0);
    let whole = record(&training.method);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in some bytes"
    )]
    let cut = &whole[..(whole.len() as f64 * part) as usize];
    let file = path("cut");
    std::fs::write(&file, cut).expect("written");
    let from_file = fresh.clone().load(&file).ok().map(|loaded| record(&loaded));
    std::fs::remove_file(&file).expect("the file is there");
    let from_bytes = read(cut).map(|read| record(&fresh.load_record(read)));
    assert_eq!(from_file, from_bytes, "{name}");
    // Nothing but padding may be missing.
    if let Some(bytes) = from_bytes {
        assert_eq!(bytes, whole, "{name}");
    }
}

/// Whatever a record with one changed byte is read as, a step with it does not panic.
fn changed_byte_does_not_panic(
    _name: &str,
    method: AnyMethod,
    case: &Case,
    (part, xor): (f64, u8),
) {
    let fresh = method.clone();
    let mut training = Training::new(case, method);
    training.step(case, 0);
    let mut bytes = record(&training.method);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in some bytes"
    )]
    let place = (bytes.len() as f64 * part) as usize;
    bytes[place] ^= xor;
    if let Some(read) = read(&bytes) {
        training.method = fresh.load_record(read);
        let batch = case.batch(1);
        let _ = training.step_with(case, 1, |m, rows| m.losses(&batch, rows));
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn truncated_record_is_an_error(case in cases(), part in 0.0..1.0) {
        for (name, method) in every_method(&Settings::of_radius(0.1)) { cut_is_refused_or_whole(name, method, &case, part); }
    }

    #[test]
    fn record_with_a_changed_byte_does_not_panic(
        case in cases(),
        part in 0.0..1.0,
        xor in 1_u8..=255,
    ) {
        let change = (part, xor);
        for (name, method) in every_method(&Settings::of_radius(0.1)) { changed_byte_does_not_panic(name, method, &case, change); }
    }

    #[test]
    fn records_of_models_and_optimisers_and_noise_are_refused(
        case in cases(),
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut training = Training::new(&case, plain());
        training.step(&case, 0);
        let model = training.model.clone().into_record().into_bytes().expect("written");
        let optimiser = training.optim.into_bytes().expect("written");
        prop_assert!(read(&model).is_none());
        prop_assert!(read(&optimiser).is_none());
        prop_assert!(read(&noise).is_none());
    }

    #[test]
    fn state_of_another_network_changes_nothing(case in cases(), other in cases()) {
        // The identifiers of another network's parameters are others.
        let mut first = Training::new(&other, friendly());
        first.step(&other, 0);
        let state = first.method.to_record();
        let model = case.model();
        let fresh = friendly();
        let mut with_state = Training::of(model.clone(), &case, fresh.clone().load_record(state));
        let mut without = Training::of(model.clone(), &case, fresh);
        with_state.step(&case, 1);
        without.step(&case, 1);
        prop_assert_eq!(bits(&with_state.model), bits(&without.model));

        let looksam = LookSamConfig::new().with_k(3).init().expect("settings in range").into_any();
        let mut first = Training::new(&other, looksam.clone());
        first.step(&other, 0);
        let state = first.method.to_record();
        let mut between = Training::of(model.clone(), &case, looksam.load_record(state));
        between.step(&case, 1);
        let g = gradients(&model, model.loss(&case.batch(1)));
        let base = case.optimiser().step(Case::learning_rate(1), model, g);
        prop_assert_eq!(bits(&between.model), bits(&base));
    }
}

#[test]
fn missing_file_is_an_error() {
    assert!(
        SamConfig::new()
            .init()
            .expect("settings in range")
            .load(path("missing"))
            .is_err()
    );
}

#[test]
fn tensors_that_are_no_vectors_of_floats_are_refused() {
    let with = |dtype: DType, shape: &[usize], parameter: Option<u64>| {
        let shape = Shape::from(shape.to_vec());
        let zeros = Bytes::from_bytes_vec(vec![0; shape.num_elements() * dtype.size()]);
        let tensor = burn_pack::Tensor::new("7.carried".to_owned(), dtype, shape, parameter, zeros);
        let writer = Writer::new(vec![tensor]).with_scalar("steps", Scalar::from(3_u64));
        StateRecord::from_bytes(writer.into_bytes().expect("written"))
    };
    assert!(with(DType::F32, &[4], Some(7)).is_ok());
    assert!(with(DType::F32, &[2, 2], Some(7)).is_err());
    assert!(with(DType::I32, &[4], Some(7)).is_err());
    assert!(with(DType::F32, &[4], None).is_err());
}
