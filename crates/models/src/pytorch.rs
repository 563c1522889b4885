//! Weights that PyTorch wrote, from a safetensors file into any Burn module.

use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{
    ApplyError, ApplyResult, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot,
    ModuleStore, PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::{DType, Tensor};

use crate::error::{Error, Mismatch};

/// The place of PyTorch's tensors, and how their names become paths in the Burn module.
///
/// The names are changed in this order: tensors whose name does not begin with the prefix are left
/// alone, the prefix is taken off, the patterns are replaced one after the other.
///
/// A path, a string or bytes turn into one without any of this.
#[derive(Debug, Clone)]
pub struct PytorchWeights {
    source: Source,
    prefix: String,
    renames: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl PytorchWeights {
    /// Reads the tensors of a file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            source: Source::File(path.into()),
            prefix: String::new(),
            renames: Vec::new(),
        }
    }

    /// Reads the tensors of a file that is already in memory.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            source: Source::Bytes(bytes.into()),
            prefix: String::new(),
            renames: Vec::new(),
        }
    }

    /// Takes only tensors whose name begins with `prefix`, and takes it off.
    #[must_use]
    pub fn with_prefix(self, prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            ..self
        }
    }

    /// Replaces what the regular expression `pattern` finds in a name by `replacement`, in which a
    /// dollar sign before a number stands for a group. `(r"^fc1\.", "layers.0.")` puts PyTorch's
    /// layer `fc1` in the first place of an [`Mlp`](crate::Mlp).
    #[must_use]
    pub fn with_rename(
        mut self,
        pattern: impl Into<String>,
        replacement: impl Into<String>,
    ) -> Self {
        self.renames.push((pattern.into(), replacement.into()));
        self
    }

    /// Names the source in an error.
    fn origin(&self) -> String {
        match &self.source {
            Source::File(path) => path.display().to_string(),
            Source::Bytes(_) => "the given bytes".to_owned(),
        }
    }
}

impl From<&Path> for PytorchWeights {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

impl From<PathBuf> for PytorchWeights {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<&str> for PytorchWeights {
    fn from(path: &str) -> Self {
        Self::file(path)
    }
}

impl From<&[u8]> for PytorchWeights {
    fn from(bytes: &[u8]) -> Self {
        Self::bytes(bytes)
    }
}

impl From<Vec<u8>> for PytorchWeights {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}

/// Returns `model` with the weights that PyTorch wrote to a safetensors file.
///
/// Every tensor of the model must be in the file, with its shape, and every tensor of the file
/// (with the prefix) must have a place in the model; PyTorch's `num_batches_tracked`, which Burn
/// does not keep, is passed over. Layouts and names of layers are translated by Burn's own adapter:
/// a `Linear.weight` is transposed, `weight` and `bias` of a norm are `gamma` and `beta`. The
/// values take the float type of the model, whatever the file holds; parameters keep their ids.
///
/// The running statistics of a `BatchNorm` live in a cell that clones of a module share, so they
/// change in every clone of `model`.
///
/// # Errors
/// [`Error::Read`] if there is no file or it is not safetensors, [`Error::Pattern`] for a broken
/// pattern, and [`Error::Weights`] with the names of all tensors that are missing, left over or of
/// another shape.
pub fn load_pytorch_safetensors<M: Module>(
    mut model: M,
    weights: impl Into<PytorchWeights>,
) -> Result<M, Error> {
    let weights = weights.into();
    let origin = weights.origin();
    let mut remapper = KeyRemapper::new();
    for (pattern, replacement) in &weights.renames {
        remapper = remapper
            .add_pattern(pattern, replacement)
            .map_err(|error| Error::Pattern {
                pattern: pattern.clone(),
                reason: one_line(&error),
            })?;
    }
    let mut store = match weights.source {
        Source::File(path) => SafetensorsStore::from_file(path),
        Source::Bytes(bytes) => SafetensorsStore::from_bytes(Some(bytes)),
    };
    let tensors = store
        .get_all_tensors()
        .map_err(|error| Error::Read {
            origin: origin.clone(),
            reason: one_line(&error),
        })?
        .values()
        .filter(|tensor| {
            tensor.name.starts_with(&weights.prefix)
                && !tensor.name.ends_with("num_batches_tracked")
        })
        .cloned()
        .map(|mut tensor| {
            tensor.name.replace_range(..weights.prefix.len(), "");
            tensor
        })
        .collect();
    let (tensors, _) = remapper.remap(tensors);
    // Burn's loader keeps the float type of the file, which would leave an f32 model with f64
    // weights.
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(float_type(&model)));
    let result = model.apply(tensors, None, Some(Box::new(adapter)), false);
    match differences(origin, result) {
        Some(error) => Err(error),
        None => Ok(model),
    }
}

/// Returns an error where a tensor is missing, left over or different.
fn differences(origin: String, result: ApplyResult) -> Option<Error> {
    let missing: Vec<String> = result.missing.into_iter().map(|(path, _)| path).collect();
    let mismatched: Vec<Mismatch> = result.errors.into_iter().map(mismatch).collect();
    let unexpected = result.unused;
    if missing.is_empty() && unexpected.is_empty() && mismatched.is_empty() {
        return None;
    }
    Some(Error::Weights {
        origin,
        missing,
        unexpected,
        mismatched,
    })
}

fn mismatch(error: ApplyError) -> Mismatch {
    let (path, reason) = match error {
        ApplyError::ShapeMismatch {
            path,
            expected,
            found,
        } => (
            path,
            format!("has the shape {found} in the file, but {expected} in the model"),
        ),
        ApplyError::DTypeMismatch {
            path,
            expected,
            found,
        } => (
            path,
            format!("holds {found:?} in the file, but {expected:?} in the model"),
        ),
        ApplyError::AdapterError { path, message } | ApplyError::LoadError { path, message } => {
            (path, format!("cannot be read ({message})"))
        }
    };
    Mismatch { path, reason }
}

/// Returns the float type of the first parameter. A parameter that was never used has the type of
/// its device; asking its value would draw it from the device's generator.
fn float_type<M: Module>(model: &M) -> DType {
    struct First(Option<DType>);
    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.get_or_insert_with(|| {
                if param.is_initialized() {
                    param.val().dtype()
                } else {
                    param.lazy_device().settings().float_dtype.into()
                }
            });
        }
    }
    let mut first = First(None);
    model.visit(&mut first);
    first.0.unwrap_or(DType::F32)
}

/// Returns a message of another library in one line, since it becomes the end of a sentence.
fn one_line(message: &impl std::fmt::Display) -> String {
    message
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
