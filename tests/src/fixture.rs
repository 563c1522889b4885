//! One golden case as it lies on disk: the manifest and its tensors, in torch's layout.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// The two files of a case, read into memory.
///
/// Nothing is transposed here: values are row-major in torch's layout. [`Case`](crate::Case)
/// gives them in Burn's.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The case's name, such as `case3_mlp_tanh`.
    pub name: String,
    /// The manifest, as parsed.
    pub manifest: Value,
    floats: HashMap<String, (Vec<usize>, Vec<f64>)>,
    integers: HashMap<String, (Vec<usize>, Vec<i64>)>,
}

impl Fixture {
    /// Reads `tests/<folder>/<name>.json` and `.safetensors`.
    ///
    /// # Panics
    ///
    /// When a file is missing or is not what the folder's README says.
    #[must_use]
    pub fn read(folder: &str, name: &str) -> Self {
        // The package in `devices` builds this file too; the fixtures lie beside its folder.
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|parent| parent.join(folder))
            .find(|folder| folder.is_dir())
            .unwrap_or_default();
        let path = |extension: &str| folder.join(format!("{name}.{extension}"));
        let read = |path: PathBuf| {
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let manifest =
            serde_json::from_slice(&read(path("json"))).expect("the manifest is valid JSON");
        let bytes = read(path("safetensors"));
        let tensors = SafeTensors::deserialize(&bytes).expect("the tensors are valid safetensors");
        let (mut floats, mut integers) = (HashMap::new(), HashMap::new());
        for (key, view) in tensors.tensors() {
            let shape = view.shape().to_vec();
            let (words, _) = view.data().as_chunks::<8>();
            match view.dtype() {
                Dtype::F64 => {
                    let values = words.iter().copied().map(f64::from_le_bytes).collect();
                    floats.insert(key, (shape, values));
                }
                Dtype::I64 => {
                    let values = words.iter().copied().map(i64::from_le_bytes).collect();
                    integers.insert(key, (shape, values));
                }
                Dtype::U8 => {
                    let values = view.data().iter().copied().map(i64::from).collect();
                    integers.insert(key, (shape, values));
                }
                other => panic!("{name}: {key} has the type {other:?}"),
            }
        }
        Self {
            name: name.to_owned(),
            manifest,
            floats,
            integers,
        }
    }

    /// Returns whether there is a float tensor under this key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.floats.contains_key(key)
    }

    /// The key of a float tensor at a view: that of `smooth/batch` if it has one of its own,
    /// otherwise that of `smooth`, otherwise the bare one.
    #[must_use]
    pub fn key(&self, view: &str, key: &str) -> String {
        let mut view = Some(view);
        while let Some(prefix) = view {
            let viewed = format!("{prefix}/{key}");
            if self.contains(&viewed) {
                return viewed;
            }
            view = prefix.rsplit_once('/').map(|(parent, _)| parent);
        }
        key.to_owned()
    }

    /// Shape and values of the float tensor `key`, row-major in torch's layout.
    ///
    /// # Panics
    ///
    /// When the case has no such tensor.
    #[must_use]
    pub fn floats(&self, key: &str) -> (&[usize], &[f64]) {
        let (shape, values) = self
            .floats
            .get(key)
            .unwrap_or_else(|| panic!("{} has no float tensor {key}", self.name));
        (shape, values)
    }

    /// Shape and values of the integer tensor `key`.
    ///
    /// # Panics
    ///
    /// When the case has no such tensor.
    #[must_use]
    pub fn integers(&self, key: &str) -> (&[usize], &[i64]) {
        let (shape, values) = self
            .integers
            .get(key)
            .unwrap_or_else(|| panic!("{} has no integer tensor {key}", self.name));
        (shape, values)
    }
}
