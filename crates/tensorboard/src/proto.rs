//! The protocol buffers of TensorBoard, as far as this crate writes and reads them.
//!
//! Field numbers are those of `tensorboard/compat/proto/{event, summary, tensor, tensor_shape,
//! types}.proto` in TensorBoard 2.21. Fields of a `oneof` are plain optional fields here: the bytes
//! are the same, and this crate sets one of them at a time.

/// `DataType.DT_FLOAT`.
pub(crate) const DT_FLOAT: i32 = 1;
/// `DataType.DT_DOUBLE`.
pub(crate) const DT_DOUBLE: i32 = 2;
/// `DataType.DT_INT32`.
pub(crate) const DT_INT32: i32 = 3;
/// `DataType.DT_UINT8`.
pub(crate) const DT_UINT8: i32 = 4;
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
    /// A scalar, as TensorFlow 1 and PyTorch write it; TensorFlow 2 writes a tensor of rank 0.
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
    /// Markdown that the page shows behind the (i) of a tag.
    #[prost(string, tag = "3")]
    pub(crate) summary_description: String,
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

/// A dense array. Either `tensor_content` (little endian, row-major) or the list of its type is
/// filled.
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
    /// Also of the smaller integers.
    #[prost(int32, repeated, tag = "7")]
    pub(crate) int_val: Vec<i32>,
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
    /// Returns an empty tensor of a type and shape, to be filled.
    pub(crate) fn of(dtype: i32, sizes: &[usize]) -> Self {
        let dim = sizes
            .iter()
            .map(|&size| Dim {
                size: i64::try_from(size).expect("nothing in memory has more than 2^63 parts"),
            })
            .collect();
        Self {
            dtype,
            tensor_shape: Some(Shape { dim }),
            ..Self::default()
        }
    }

    /// Returns the numbers of a `DT_FLOAT` or `DT_DOUBLE` tensor, however they are stored; none for
    /// another type.
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

    /// Returns the numbers of a `DT_FLOAT` tensor as they are.
    pub(crate) fn singles(&self) -> Option<Vec<f32>> {
        let content = self.tensor_content.as_chunks().0.iter();
        match self.dtype {
            DT_FLOAT if content.len() == 0 => Some(self.float_val.clone()),
            DT_FLOAT => Some(content.map(|&b| f32::from_le_bytes(b)).collect()),
            _ => None,
        }
    }

    /// Returns the numbers of a `DT_INT32` or `DT_UINT8` tensor, however they are stored.
    pub(crate) fn integers(&self) -> Option<Vec<i32>> {
        let content = &self.tensor_content;
        match self.dtype {
            DT_INT32 | DT_UINT8 if content.is_empty() => Some(self.int_val.clone()),
            DT_UINT8 => Some(content.iter().map(|&b| b.into()).collect()),
            DT_INT32 => {
                let integers = content.as_chunks().0.iter();
                Some(integers.map(|&b| i32::from_le_bytes(b)).collect())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    //! The bytes come from TensorBoard 2.21's own `event_pb2` in Python
    //! (`SerializeToString(deterministic=True)`).

    use super::*;
    use crate::summary::Data;
    use prost::Message;

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn event(tag: &str, data: Data, plugin: &str, data_class: i32) -> Event {
        let plugin_data = Some(PluginData {
            plugin_name: plugin.into(),
            content: Vec::new(),
        });
        let metadata = Some(Metadata {
            plugin_data,
            data_class,
            ..Metadata::default()
        });
        let (simple_value, tensor) = match data {
            Data::Number(number) => (Some(number), None),
            Data::Tensor(tensor) => (None, Some(tensor)),
            Data::Described(_, content) | Data::Plugin(content) => {
                panic!("{} bytes of a plugin", content.len())
            }
        };
        let value = Value {
            tag: tag.into(),
            simple_value,
            tensor,
            metadata,
        };
        let summary = Some(Summary { value: vec![value] });
        Event {
            wall_time: 1_700_000_000.25,
            step: 7,
            summary,
            ..Event::default()
        }
    }

    #[test]
    fn events_have_the_bytes_of_the_official_encoder() {
        let scalar = Tensor {
            float_val: vec![0.5],
            ..Tensor::of(DT_FLOAT, &[])
        };
        let row = [-1.0_f64, 2.0, 0.5]
            .into_iter()
            .flat_map(f64::to_le_bytes)
            .collect();
        let histogram = Tensor {
            tensor_content: row,
            ..Tensor::of(DT_DOUBLE, &[1, 3])
        };
        let strings = vec![b"1".to_vec(), b"2".to_vec(), b"png".to_vec()];
        let image = Tensor {
            string_val: strings,
            ..Tensor::of(DT_STRING, &[3])
        };
        let start = Event {
            wall_time: 1_700_000_000.25,
            step: 7,
            session_log: Some(SessionLog {
                status: SESSION_START,
            }),
            ..Event::default()
        };
        let mut described = event("loss/train", Data::Number(0.5), "scalars", 1);
        if let Some(metadata) = &mut described.summary.as_mut().unwrap().value[0].metadata {
            metadata.summary_description = "**Mean** loss".into();
        }
        for (event, hex) in [
            (
                event("loss/train", Data::Number(0.5), "scalars", 1),
                "0900001040fc54d94110072a220a200a0a6c6f73732f747261696e150000003f4a0d0a090a077363616c6172732001",
            ),
            (
                event("loss/train", Data::Tensor(scalar), "scalars", 1),
                "0900001040fc54d94110072a290a270a0a6c6f73732f747261696e420a080112002a040000003f4a0d0a090a077363616c6172732001",
            ),
            (
                event("h", Data::Tensor(histogram), "histograms", 2),
                "0900001040fc54d94110072a3f0a3d0a016842260802120812020801120208032218000000000000f0bf0000000000000040000000000000e03f4a100a0c0a0a686973746f6772616d732002",
            ),
            (
                event("i", Data::Tensor(image), "images", 3),
                "0900001040fc54d94110072a280a260a0169421308071204120208034201314201324203706e674a0c0a080a06696d616765732003",
            ),
            (start, "0900001040fc54d94110073a020801"),
            (
                described,
                "0900001040fc54d94110072a310a2f0a0a6c6f73732f747261696e150000003f4a1c0a090a077363616c6172731a0d2a2a4d65616e2a2a206c6f73732001",
            ),
        ] {
            assert_eq!(event.encode_to_vec(), bytes(hex));
            assert_eq!(Event::decode(bytes(hex).as_slice()).unwrap(), event);
        }
    }

    #[test]
    fn unknown_fields_of_other_writers_are_passed_over() {
        // A header with a `source_metadata`, and a scalar of TensorFlow 1 at step -2.
        let header = Event::decode(
            bytes("0900001040fc54d9411a0d627261696e2e4576656e743a3252030a0177").as_slice(),
        )
        .unwrap();
        assert_eq!(header.file_version.as_deref(), Some(FILE_VERSION));
        let scalar = Event::decode(
            bytes("09000000000000f83f10feffffffffffffffff012a0c0a0a0a036f6c641500000000")
                .as_slice(),
        )
        .unwrap();
        assert_eq!(scalar.step, -2);
        assert_eq!(scalar.summary.unwrap().value[0].simple_value, Some(0.0));
    }
}
