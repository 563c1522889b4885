//! The protocol buffers of the HParams plugin.
//!
//! Field numbers are those of `tensorboard/plugins/hparams/{api, plugin_data}.proto` in TensorBoard
//! 2.21 and of `google/protobuf/struct.proto`.

use std::collections::BTreeMap;

/// The metadata of the plugin's three tags; one of the three is set. The version is 0,
/// which is not written.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PluginData {
    #[prost(message, optional, tag = "2")]
    pub(super) experiment: Option<Experiment>,
    #[prost(message, optional, tag = "3")]
    pub(super) session_start_info: Option<SessionStartInfo>,
    #[prost(message, optional, tag = "4")]
    pub(super) session_end_info: Option<SessionEndInfo>,
}

/// The columns of the table.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Experiment {
    #[prost(string, tag = "1")]
    pub(super) description: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) hparam_infos: Vec<HparamInfo>,
    #[prost(message, repeated, tag = "5")]
    pub(super) metric_infos: Vec<MetricInfo>,
}

/// The column of a setting.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HparamInfo {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) description: String,
    /// `DataType`: 1 is a string, 2 a bool, 3 a number.
    #[prost(int32, tag = "4")]
    pub(super) r#type: i32,
    #[prost(bool, tag = "7")]
    pub(super) differs: bool,
}

/// The column of a metric.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MetricInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) name: Option<MetricName>,
    #[prost(string, tag = "3")]
    pub(super) display_name: String,
    #[prost(string, tag = "4")]
    pub(super) description: String,
}

/// The scalar whose last value a metric is. Its `group` is a directory below that of the run, and
/// not used here.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MetricName {
    #[prost(string, tag = "2")]
    pub(super) tag: String,
}

/// A row of the table.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SessionStartInfo {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) hparams: BTreeMap<String, Value>,
    #[prost(string, tag = "4")]
    pub(super) group_name: String,
    #[prost(double, tag = "5")]
    pub(super) start_time_secs: f64,
}

/// The end of a row.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SessionEndInfo {
    /// `Status`: 1 is success, 2 failure, 3 running.
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
    #[prost(double, tag = "2")]
    pub(super) end_time_secs: f64,
}

/// `google.protobuf.Value`; one of the three is set.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Value {
    #[prost(double, optional, tag = "2")]
    pub(super) number_value: Option<f64>,
    #[prost(string, optional, tag = "3")]
    pub(super) string_value: Option<String>,
    #[prost(bool, optional, tag = "4")]
    pub(super) bool_value: Option<bool>,
}

#[cfg(test)]
mod tests {
    //! The bytes come from TensorBoard 2.21's own `plugin_data_pb2` in Python
    //! (`SerializeToString(deterministic=True)`).

    use super::*;
    use prost::Message;

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn messages_have_the_bytes_of_the_official_encoder() {
        let number = |number| Value {
            number_value: Some(number),
            ..Value::default()
        };
        let text = Value {
            string_value: Some("sam λ".into()),
            ..Value::default()
        };
        let flag = Value {
            bool_value: Some(false),
            ..Value::default()
        };
        let hparams = [
            ("flag", flag),
            ("method", text),
            ("rho", number(0.05)),
            ("zero", number(0.0)),
        ];
        let start = SessionStartInfo {
            hparams: hparams.map(|(name, value)| (name.into(), value)).into(),
            group_name: "group".into(),
            start_time_secs: 1_700_000_000.25,
        };
        let experiment = Experiment {
            description: "all".into(),
            hparam_infos: vec![HparamInfo {
                name: "rho".into(),
                description: "radius".into(),
                r#type: 3,
                differs: true,
            }],
            metric_infos: vec![MetricInfo {
                name: Some(MetricName {
                    tag: "loss/test".into(),
                }),
                display_name: "test".into(),
                description: "mean".into(),
            }],
        };
        let end = SessionEndInfo {
            status: 2,
            end_time_secs: 1_700_000_060.5,
        };
        for (message, hex) in [
            (
                PluginData {
                    session_start_info: Some(start),
                    ..PluginData::default()
                },
                "1a550a0a0a04666c6167120220000a120a066d6574686f6412081a0673616d20cebb0a100a0372686f1209119a9999999999a93f0a110a047a65726f1209110000000000000000220567726f75702900001040fc54d941",
            ),
            (
                PluginData {
                    experiment: Some(experiment),
                    ..PluginData::default()
                },
                "12330a03616c6c22110a0372686f1a06726164697573200338012a190a0b12096c6f73732f746573741a047465737422046d65616e",
            ),
            (
                PluginData {
                    session_end_info: Some(end),
                    ..PluginData::default()
                },
                "220b0802110000204ffc54d941",
            ),
        ] {
            assert_eq!(message.encode_to_vec(), bytes(hex));
            assert_eq!(PluginData::decode(bytes(hex).as_slice()).unwrap(), message);
        }
    }
}
