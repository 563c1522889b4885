//! The protocol buffers of TensorBoard, as far as this crate writes and reads them.
//!
//! Field numbers are those of `tensorboard/compat/proto/{event, summary, tensor, tensor_shape, types}.proto` in
//! TensorBoard 2.21. Fields of a `oneof` are plain optional fields here: the bytes are the same, and this crate sets
//! one of them at a time.

/// `DataType.DT_FLOAT`.
pub(crate) const DT_FLOAT: i32 = 1;
/// `DataType.DT_DOUBLE`.
pub(crate) const DT_DOUBLE: i32 = 2;
/// `DataType.DT_STRING`.
pub(crate) const DT_STRING: i32 = 7;
/// `SessionLog.SessionStatus.START`.
pub(crate) const SESSION_START: i32 = 1;
/// The only file version that TensorBoard knows.
pub(crate) const FILE_VERSION: &str = "brain.Event:2";

/// One record of an event file.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Event {
    #[prost(double, tag = "1")]
    pub(crate) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(crate) step: i64,
    #[prost(string, optional, tag = "3")]
    pub(crate) file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub(crate) summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    pub(crate) session_log: Option<SessionLog>,
}

/// Tells a reader that a run starts, or starts again, at the step of its event.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SessionLog {
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
}

/// Values of one step.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(crate) value: Vec<Value>,
}

/// A tagged value.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Value {
    #[prost(string, tag = "1")]
    pub(crate) tag: String,
    /// The scalar of TensorFlow 1; read, never written.
    #[prost(float, optional, tag = "2")]
    pub(crate) simple_value: Option<f32>,
    #[prost(message, optional, tag = "8")]
    pub(crate) tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    pub(crate) metadata: Option<Metadata>,
}

/// Tells which plugin draws a value.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub(crate) plugin_data: Option<PluginData>,
    #[prost(int32, tag = "4")]
    pub(crate) data_class: i32,
}

/// The plugin and what it wants to know.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PluginData {
    #[prost(string, tag = "1")]
    pub(crate) plugin_name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) content: Vec<u8>,
}

/// A dense array. Either `tensor_content` (little endian, row-major) or the list of its type is filled.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Tensor {
    #[prost(int32, tag = "1")]
    pub(crate) dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) tensor_shape: Option<Shape>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) tensor_content: Vec<u8>,
    #[prost(float, repeated, tag = "5")]
    pub(crate) float_val: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    pub(crate) double_val: Vec<f64>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(crate) string_val: Vec<Vec<u8>>,
}

/// Sizes of the dimensions; none for a rank 0 tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Shape {
    #[prost(message, repeated, tag = "2")]
    pub(crate) dim: Vec<Dim>,
}

/// Size of one dimension.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Dim {
    #[prost(int64, tag = "1")]
    pub(crate) size: i64,
}

impl Tensor {
    /// An empty tensor of a type and shape, to be filled.
    pub(crate) fn of(dtype: i32, sizes: &[usize]) -> Self {
        // A size beyond i64 cannot be reached by anything that fits in memory.
        let dim = sizes
            .iter()
            .map(|&size| Dim {
                size: i64::try_from(size).unwrap_or(i64::MAX),
            })
            .collect();
        Self {
            dtype,
            tensor_shape: Some(Shape { dim }),
            ..Self::default()
        }
    }

    /// The numbers of a `DT_FLOAT` or `DT_DOUBLE` tensor, however they are stored; none for another type.
    pub(crate) fn numbers(&self) -> Option<Vec<f64>> {
        let content = &self.tensor_content;
        match self.dtype {
            DT_FLOAT if content.is_empty() => {
                Some(self.float_val.iter().map(|&x| f64::from(x)).collect())
            }
            DT_FLOAT => Some(
                content
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| f64::from(f32::from_le_bytes(b)))
                    .collect(),
            ),
            DT_DOUBLE if content.is_empty() => Some(self.double_val.clone()),
            DT_DOUBLE => Some(
                content
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| f64::from_le_bytes(b))
                    .collect(),
            ),
            _ => None,
        }
    }
}
