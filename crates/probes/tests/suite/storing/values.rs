//! Which values a store takes, and which points are measured.

use std::fs;
use std::ops::ControlFlow;

use probes::Error;
use probes::export::Column;
use probes::store::{Identity, MeasureConfig, SliceStore, checksum, measure_with};

use super::{bits, formula, go_on, identity, measure, python};

/// Zeros, negative numbers, infinities, a subnormal number, and NaN of both signs with bits of
/// their own.
const STRANGE: [u64; 8] = [
    0x0000_0000_0000_0000,
    0x8000_0000_0000_0000,
    0xc000_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x0000_0000_0000_0001,
    0x7ff8_0000_dead_beef,
    0xfff8_0000_0000_0001,
];

#[test]
fn values_that_are_zero_negative_or_not_finite_keep_their_bits_and_are_never_measured_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.slice");
    let a: Vec<f64> = (0..8_u32).map(f64::from).collect();
    let identity = Identity::on([Column::new("a", a)], ["loss"]);
    let mut evaluated = 0;
    for expected in [8, 0, 0] {
        let mut store = SliceStore::open_or_create(&path, &identity).unwrap();
        let before = evaluated;
        measure_with(
            &mut store,
            None,
            &MeasureConfig::new(),
            go_on,
            |points, each| {
                for (position, [a]) in points.iter().enumerate() {
                    evaluated += 1;
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let value = f64::from_bits(STRANGE[*a as usize]);
                    assert!(each(position, &[value]).is_continue());
                }
                Ok::<(), Error>(())
            },
        )
        .unwrap();
        assert_eq!(evaluated - before, expected);
        assert!(store.is_complete() && store.missing().is_empty());
        let found: Vec<u64> = bits(&store)
            .into_iter()
            .map(|bits| bits.unwrap()[0])
            .collect();
        assert_eq!(found, STRANGE);
    }
}

#[test]
fn points_that_are_not_recorded_are_missing_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SliceStore::open_or_create(folder.path().join("x.slice"), &identity()).unwrap();
    store.add(5, &[0.0, f64::NAN]).unwrap();
    store.add(2, &[1.0, -1.0]).unwrap();
    assert_eq!(store.missing(), [0, 1, 3, 4, 6, 7, 8, 9, 10, 11]);
    assert_eq!((store.value(4), store.value(12)), (None, None));
    let samples = store.values();
    assert_eq!(samples.recorded, store.recorded());
    assert_eq!(samples.quantities[1].values[2], -1.0);
    assert_eq!(samples.point(5), [0.1, -0.0]);
}

#[test]
fn what_does_not_fit_the_slice_is_refused_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.slice");
    let mut store = SliceStore::open_or_create(&path, &identity()).unwrap();
    store.add(0, &[1.0, 2.0]).unwrap();
    store.add(0, &[1.0, 2.0]).unwrap();
    let before = fs::read(&path).unwrap();
    for (index, values, said) in [
        (12, &[1.0, 2.0][..], "a point's index is 12 of 12"),
        (
            1,
            &[1.0],
            "the number of a point's values is 1 for 2 quantities",
        ),
        (
            0,
            &[1.0, 3.0],
            "a value is [1.0, 3.0] for point 0, recorded as [1.0, 2.0]",
        ),
    ] {
        let error = store.add(index, values).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(store.missing().len(), 11);
}

#[test]
fn identity_without_points_quantities_or_names_of_their_own_is_refused_and_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.slice");
    let on = |a: &[f64], quantities: &[&str]| {
        Identity::on([Column::new("a", a.to_vec())], quantities.iter().copied())
    };
    let many = vec![0.0; (1 << 28) + 1];
    for (identity, said) in [
        (on(&[], &["loss"]), "the number of values is 0 on axis a"),
        (on(&[f64::NAN], &["loss"]), "a coordinate is NaN on axis a"),
        (on(&[0.0], &[]), "the number of quantities is 0"),
        (on(&[0.0], &["loss", "loss"]), "the name is \"loss\""),
        (on(&[0.0], &["a"]), "the name is \"a\""),
        (
            on(&many, &["loss"]),
            "the slice is 268435457 points of 1 quantities",
        ),
    ] {
        let error = SliceStore::open_or_create(&path, &identity).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
        assert!(!path.exists());
    }
}

#[test]
fn any_chunk_and_any_number_of_stops_end_with_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let expected: Vec<Option<Vec<u64>>> = (0..12)
        .map(|index| Some(formula(identity().point(index)).map(f64::to_bits).to_vec()))
        .collect();
    for chunk in [1, 5, 12, 100] {
        let path = folder.path().join(format!("{chunk}.slice"));
        let mut stops = 0;
        loop {
            let mut store = SliceStore::open_or_create(&path, &identity()).unwrap();
            let mut chunks = 0;
            let config = MeasureConfig::new().with_chunk(chunk);
            let before = 12 - store.missing().len();
            let stop = |progress: probes::store::Progress| {
                assert_eq!((progress.points, progress.wanted), (12, 12));
                assert_eq!(progress.recorded, progress.done);
                assert!(progress.done >= before);
                chunks += 1;
                if chunks > 1 {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            };
            let done = measure_with(&mut store, None, &config, stop, |points, each| {
                for (position, &point) in points.iter().enumerate() {
                    assert!(each(position, &formula(point)).is_continue());
                }
                Ok::<(), Error>(())
            })
            .unwrap();
            assert_eq!(done.measured, chunk.min(12 - before));
            assert_eq!(done.found + done.measured + done.missing, 12);
            stops += 1;
            if store.is_complete() {
                assert_eq!(bits(&store), expected);
                break;
            }
        }
        assert_eq!(stops, 12_usize.div_ceil(chunk));
    }
}

#[test]
fn wanted_points_of_a_fine_grid_are_measured_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SliceStore::open_or_create(folder.path().join("x.slice"), &identity()).unwrap();
    let evaluate = |points: &[[f64; 2]], each: &mut dyn FnMut(usize, &[f64]) -> ControlFlow<()>| {
        for (position, &point) in points.iter().enumerate().rev() {
            assert!(each(position, &formula(point)).is_continue());
        }
        Ok::<(), Error>(())
    };
    let config = MeasureConfig::new().with_chunk(2);
    let first = measure_with(&mut store, Some(&[11, 0, 3]), &config, go_on, evaluate).unwrap();
    assert_eq!((first.measured, first.found, first.missing), (3, 0, 0));
    let wanted = Some(&[3, 3, 4][..]);
    let second = measure_with(&mut store, wanted, &config, go_on, evaluate).unwrap();
    assert_eq!((second.measured, second.found, second.missing), (1, 1, 0));
    assert_eq!(store.missing(), [1, 2, 5, 6, 7, 8, 9, 10]);
    assert_eq!(store.value(11), Some(&formula([1.0, 4.0])[..]));
    let error = measure_with(&mut store, Some(&[12]), &config, go_on, evaluate).unwrap_err();
    assert!(error.to_string().contains("12 of 12"), "{error}");
}

#[test]
fn evaluation_that_leaves_points_out_or_fails_keeps_what_it_gave() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SliceStore::open_or_create(folder.path().join("x.slice"), &identity()).unwrap();
    let mut run = |chunk, evaluate: &mut dyn FnMut(usize) -> Result<usize, Error>| {
        let config = MeasureConfig::new().with_chunk(chunk);
        let done = measure_with(&mut store, None, &config, go_on, |points, each| {
            let count = evaluate(points.len())?;
            (0..count).for_each(|i| assert!(each(i, &formula(points[i])).is_continue()));
            match count {
                3 => Err(landscape::Error::NoData.into()),
                _ => Ok::<(), Error>(()),
            }
        });
        (
            done.map_err(|error| error.to_string()),
            store.missing().len(),
        )
    };
    let (done, missing) = run(5, &mut |_| Ok(2));
    assert!(done.unwrap_err().contains("2 of a chunk of 5"));
    assert_eq!(missing, 10);
    let (done, missing) = run(5, &mut |_| Ok(3));
    assert!(done.unwrap_err().starts_with("there is no example"));
    assert_eq!(missing, 7);
    let (done, missing) = run(0, &mut Ok);
    assert!(done.unwrap_err().contains("chunk is 0"));
    assert_eq!(missing, 7);
    let (done, missing) = run(5, &mut |points| Ok(points.min(2)));
    assert!(done.is_err() && missing == 5);
}

#[test]
fn python_of_the_documentation_reads_a_file_while_it_is_written_and_with_a_cut_record() {
    let source = include_str!("../../../src/store/mod.rs");
    let reader: String = source
        .lines()
        .skip_while(|line| *line != "//! ```python")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| {
            line.trim_start_matches("//!")
                .strip_prefix(' ')
                .unwrap_or_default()
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    assert!(reader.contains("def read_slice"));
    let program = format!(
        "{reader}
import sys
about, values = read_slice(sys.argv[1])
print(about['model'], about['normalisation'], [axis['name'] for axis in about['axes']])
print(*(value.hex() for axis in about['axes'] for value in axis['values']))
for name in about['quantities']:
    print(name, *(None if v is None else struct.pack('>d', v).hex() for v in values[name]))
"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.slice");
    let mut store = SliceStore::open_or_create(&path, &identity()).unwrap();
    let strange = |index: usize| f64::from_bits(STRANGE[index % 8]);
    for index in [11, 3, 0, 6] {
        store
            .add(index, &[strange(index), strange(index + 1)])
            .unwrap();
    }
    let expected = |k: usize| -> String {
        let word = |index| match [11, 3, 0, 6].contains(&index) {
            true => format!(" {:016x}", strange(index + k).to_bits()),
            false => " None".to_owned(),
        };
        (0..12).map(word).collect()
    };
    let axes = "-0x1.0000000000000p+0 0x1.999999999999ap-4 0x1.0000000000000p+0 \
                -0x1.0000000000000p+1 -0x0.0p+0 0x1.3333333333333p-2 0x1.0000000000000p+2";
    let expected = format!(
        "01234567 by filter ['a', 'b']\n{axes}\ntraining loss{}\naccuracy{}\n",
        expected(0),
        expected(1)
    );
    assert_eq!(python(&program, &[&path]), expected);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([1, 2, 3]);
    let cut = folder.path().join("cut.slice");
    fs::write(&cut, bytes).unwrap();
    assert_eq!(python(&program, &[&cut]), expected);
}

#[test]
fn checksums_tell_models_directions_and_data_apart() {
    use burn::module::Module;
    use burn::nn::BatchNormConfig;
    use burn::tensor::{Device, Int, Tensor};

    let device = Device::flex();
    let layer = || BatchNormConfig::new(2).init(&device.clone().autodiff());
    let (same, other, moved) = (layer(), layer(), layer());
    assert_eq!(checksum::of_model(&same), checksum::of_model(&other));
    assert_eq!(checksum::of_model(&same), checksum::of_model(&same.valid()));
    // The running statistics alone differ.
    moved.forward(Tensor::<2>::from_floats(
        [[1.0, 2.0], [3.0, 5.0]],
        &device.clone().autodiff(),
    ));
    assert_ne!(checksum::of_model(&same), checksum::of_model(&moved));

    let vector = |entries: [f32; 2]| Tensor::<1>::from_floats(entries, &device);
    let (d, e) = (vector([1.0, 2.0]), vector([2.0, 1.0]));
    assert_ne!(
        checksum::of_directions(&[&d, &e]),
        checksum::of_directions(&[&e, &d])
    );
    assert_ne!(
        checksum::of_directions(&[&d]),
        checksum::of_directions(&[&d, &d])
    );
    // CRC-32C of the bytes 0..32 in ascending order (RFC 3720, B.4), as four numbers.
    let bytes: Vec<u8> = (0..32).collect();
    let entries: Vec<f64> = bytes
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let data = burn::tensor::TensorData::new(entries, [4]);
    let ascending = Tensor::<1>::from_data(data, (&device, burn::tensor::DType::F64));
    assert_eq!(checksum::of_directions(&[&ascending]), 0x46dd_794e);

    let batch = |x: [f32; 2], y: [i32; 2]| {
        (
            vector(x).unsqueeze_dim::<2>(1),
            Tensor::<1, Int>::from_ints(y, &device),
        )
    };
    let first = || batch([1.0, 2.0], [0, 1]);
    assert_eq!(
        checksum::of_batches(&[first()]),
        checksum::of_batches(&[first()])
    );
    for other in [batch([1.0, 2.0], [1, 0]), batch([2.0, 1.0], [0, 1])] {
        assert_ne!(
            checksum::of_batches(&[first()]),
            checksum::of_batches(&[other])
        );
    }
    let wide = vector([1.0, 2.0]).unsqueeze_dim::<2>(0);
    let tall = vector([1.0, 2.0]).unsqueeze_dim::<2>(1);
    assert_ne!(checksum::of_batches(&[wide]), checksum::of_batches(&[tall]));
}

#[test]
fn measured_file_read_by_itself_has_identity_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folders/are made/x.slice");
    let mut store = SliceStore::open_or_create(&path, &identity()).unwrap();
    measure(&mut store, 5).unwrap();
    let (read, samples) = SliceStore::<2>::read(&path).unwrap();
    assert_eq!(read, identity());
    assert_eq!(samples, store.values());
    let error = SliceStore::<1>::read(&path).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("number of axes 1 here, 2 in the file"),
        "{error}"
    );
}
