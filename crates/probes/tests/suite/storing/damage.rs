//! Files that are cut, damaged, of another slice, or in use.

use std::fs;
use std::path::Path;

use probes::export::Column;
use probes::store::{Identity, SliceStore};

use super::{bits, identity, measure};

/// A complete store, its bytes, and the length of its first line.
fn complete(path: &Path) -> (Vec<u8>, usize) {
    let mut store = SliceStore::open_or_create(path, &identity()).unwrap();
    measure(&mut store, 5).unwrap();
    let bytes = fs::read(path).unwrap();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    (bytes, line)
}

#[test]
fn file_cut_at_any_byte_goes_on_after_its_last_whole_record() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, line) = complete(&folder.path().join("whole.slice"));
    let expected =
        bits(&SliceStore::open_or_create(folder.path().join("whole.slice"), &identity()).unwrap());
    // Index, two values and a checksum.
    let record = 4 + 16 + 4;
    assert_eq!(whole.len(), line + 12 * record);
    let path = folder.path().join("cut.slice");
    for length in 0..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let mut store = SliceStore::open_or_create(&path, &identity()).unwrap();
        let recorded = length.saturating_sub(line) / record;
        assert_eq!(
            12 - store.missing().len(),
            recorded,
            "cut after {length} bytes"
        );
        assert_eq!(
            fs::metadata(&path).unwrap().len(),
            (line + recorded * record) as u64
        );
        // The points are in the order in which they were measured.
        assert_eq!(&bits(&store)[..recorded], &expected[..recorded]);
        if length % 7 == 0 {
            measure(&mut store, 4).unwrap();
            assert_eq!(bits(&store), expected);
        }
    }
}

#[test]
fn any_damaged_byte_is_one_error_and_the_file_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, line) = complete(&folder.path().join("whole.slice"));
    let path = folder.path().join("damaged.slice");
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(&path, &bytes).unwrap();
        let opened = SliceStore::open_or_create(&path, &identity());
        let said = opened.unwrap_err().to_string();
        let begins = format!("`{}` is damaged, ", path.display());
        assert!(said.starts_with(&begins), "byte {place}: {said}");
        let read = SliceStore::<2>::read(&path).unwrap_err().to_string();
        assert_eq!(read, said);
        assert_eq!(fs::read(&path).unwrap(), bytes, "byte {place}: {said}");
        if place >= line {
            let number = (place - line) / 24;
            let advice = format!("`truncate --size {}`", line + 24 * number);
            assert!(
                said.contains(&format!("record {} does not", number + 1)) && said.contains(&advice),
                "byte {place}: {said}"
            );
            fs::write(&path, &bytes[..line + 24 * number]).unwrap();
            let store = SliceStore::open_or_create(&path, &identity()).unwrap();
            assert_eq!(store.missing().len(), 12 - number);
        }
    }
}

#[test]
fn file_that_is_no_store_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, line) = complete(&folder.path().join("whole.slice"));
    let path = folder.path().join("other");
    let whole_record_twice = [&whole[..line + 24], &whole[line..line + 24]].concat();
    fs::write(&path, whole_record_twice).unwrap();
    assert!(SliceStore::open_or_create(&path, &identity()).is_ok());
    let newer = [b"landscape-slice/2", &whole[17..]].concat();
    let ended = [&whole[..line - 9], b"\n"].concat();
    for (bytes, said) in [
        (
            &b"a,b,loss\r\n0.0,0.0,1.0\r\n"[..],
            "does not begin as a stored slice does",
        ),
        (b"landscape-slice/1 but not", "its first line has no end"),
        (&newer, "it has the format \"landscape-slice/2\""),
        (&ended, "its first line does not have its checksum"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = SliceStore::open_or_create(&path, &identity()).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    let error = SliceStore::open_or_create(folder.path(), &identity()).unwrap_err();
    assert!(error.to_string().starts_with("cannot open"), "{error}");
}

#[test]
fn another_identity_is_refused_with_what_differs_and_the_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.slice");
    let (bytes, _) = complete(&path);
    let own = identity;
    let axis = |change: &dyn Fn(&mut Vec<f64>)| {
        let mut other = own();
        change(&mut other.axes[1].values);
        other
    };
    let named = || {
        let mut other = own();
        other.axes[0].name = "t".to_owned();
        other
    };
    let quantities = vec!["training loss".to_owned()];
    let cases = [
        (
            Identity { model: 1, ..own() },
            "the model's weights or buffers (checksum 00000001 here, 01234567 in the file)",
        ),
        (
            Identity {
                directions: 1,
                ..own()
            },
            "the directions (checksum 00000001 here, 89abcdef in the file)",
        ),
        (
            Identity { data: 1, ..own() },
            "the data (checksum 00000001 here, 00000007 in the file)",
        ),
        (
            axis(&|b| b[2] = 0.3_f64.next_up()),
            "the grid (axis b has 0.30000000000000004 here where the file has 0.3)",
        ),
        (
            axis(&|b| b[1] = 0.0),
            "the grid (axis b has 0.0 here where the file has -0.0)",
        ),
        (
            axis(&|b| b.push(5.0)),
            "the grid (axis b of 5 values here, of 4 in the file)",
        ),
        (named(), "the grid (axis \"t\" here, \"a\" in the file)"),
        (
            Identity {
                quantities,
                ..own()
            },
            "the quantities (training loss here, training loss, accuracy in the file)",
        ),
        (
            Identity {
                normalisation: "none".to_owned(),
                ..own()
            },
            "the normalisation (\"none\" here, \"by filter\" in the file)",
        ),
        (
            Identity {
                evaluation: "by hand".to_owned(),
                ..own()
            },
            "the way of evaluation (\"by hand\" here, \"by a formula\" in the file)",
        ),
    ];
    for (other, said) in cases {
        let error = SliceStore::open_or_create(&path, &other)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("which differs in {said}: go on")),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    let line = Identity::on([Column::new("a", vec![0.0])], ["loss"]);
    let error = SliceStore::open_or_create(&path, &line)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the grid (number of axes 1 here, 2 in the file)"),
        "{error}"
    );
    // All at once, in one sentence.
    let other = Identity {
        model: 1,
        data: 2,
        ..own()
    };
    let error = SliceStore::open_or_create(&path, &other)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("buffers (") && error.contains("; the data ("),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn second_writer_is_refused_and_a_reader_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.slice");
    let mut store = SliceStore::open_or_create(&path, &identity()).unwrap();
    store.add(0, &[1.0, 2.0]).unwrap();
    let error = SliceStore::open_or_create(&path, &identity())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("is being written by another process"),
        "{error}"
    );
    let (_, samples) = SliceStore::<2>::read(&path).unwrap();
    assert!(samples.recorded[0] && !samples.recorded[1]);
    drop(store);
    let store = SliceStore::open_or_create(&path, &identity()).unwrap();
    assert_eq!(store.missing().len(), 11);
}

#[cfg(unix)]
#[test]
fn file_that_is_removed_meanwhile_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.slice");
    let mut store = SliceStore::open_or_create(&path, &identity()).unwrap();
    fs::remove_file(&path).unwrap();
    let error = measure(&mut store, 5).unwrap_err().to_string();
    assert!(error.contains("removed or replaced"), "{error}");
}
