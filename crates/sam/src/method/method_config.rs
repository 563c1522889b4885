//! The configuration of a method that is chosen at run time.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{
    AnyMethod, AsamConfig, EsamConfig, FriendlySamConfig, GsamConfig, LookSamConfig,
    MicroBatchSamConfig, SamConfig,
};
use crate::error::Error;

/// The configuration of a method that is chosen at run time, as a configuration file writes it: the
/// name of the method under `method`, and beside it the settings that differ from the defaults of
/// its configuration.
///
/// Reading refuses a method or a setting that there is none of, with its name;
/// [`init`](Self::init) refuses values that are out of range.
///
/// ```
/// use sam::MethodConfig;
///
/// let config: MethodConfig = serde_json::from_str(
///     r#"{ "method": "looksam", "k": 5, "schedule": { "proportional": { "lr_max": 0.1 } } }"#,
/// )?;
/// let method = config.init()?;
/// assert_eq!(method.rho(), 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "method")]
#[non_exhaustive]
pub enum MethodConfig {
    /// `sam`
    #[serde(rename = "sam")]
    Sam(SamConfig),
    /// `asam`
    #[serde(rename = "asam")]
    Asam(AsamConfig),
    /// `gsam`
    #[serde(rename = "gsam")]
    Gsam(GsamConfig),
    /// `looksam`
    #[serde(rename = "looksam")]
    LookSam(LookSamConfig),
    /// `esam`
    #[serde(rename = "esam")]
    Esam(EsamConfig),
    /// `friendly-sam`
    #[serde(rename = "friendly-sam")]
    FriendlySam(FriendlySamConfig),
    /// `m-sam`, which needs the setting `examples`
    #[serde(rename = "m-sam")]
    MicroBatchSam(MicroBatchSamConfig),
}

impl MethodConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<AnyMethod, Error> {
        Ok(match self {
            Self::Sam(config) => config.init()?.into_any(),
            Self::Asam(config) => config.init()?.into_any(),
            Self::Gsam(config) => config.init()?.into_any(),
            Self::LookSam(config) => config.init()?.into_any(),
            Self::Esam(config) => config.init()?.into_any(),
            Self::FriendlySam(config) => config.init()?.into_any(),
            Self::MicroBatchSam(config) => config.init()?.into_any(),
        })
    }
}

/// The names of the methods.
const NAMES: [&str; 7] = [
    "sam",
    "asam",
    "gsam",
    "looksam",
    "esam",
    "friendly-sam",
    "m-sam",
];

// By hand: Burn's `Config` reads a struct only where every field is written, and passes over
// unknown ones.
impl<'de> Deserialize<'de> for MethodConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut settings = Map::<String, Value>::deserialize(deserializer)?;
        let Some(name) = settings.remove("method") else {
            return Err(D::Error::missing_field("method"));
        };
        let name = String::deserialize(name)
            .map_err(|error| D::Error::custom(format_args!("method: {error}")))?;
        match name.as_str() {
            "sam" => laid_over(&SamConfig::new(), settings).map(Self::Sam),
            "asam" => laid_over(&AsamConfig::new(), settings).map(Self::Asam),
            "gsam" => laid_over(&GsamConfig::new(), settings).map(Self::Gsam),
            "looksam" => laid_over(&LookSamConfig::new(), settings).map(Self::LookSam),
            "esam" => laid_over(&EsamConfig::new(), settings).map(Self::Esam),
            "friendly-sam" => laid_over(&FriendlySamConfig::new(), settings).map(Self::FriendlySam),
            "m-sam" if !settings.contains_key("examples") => {
                return Err(D::Error::missing_field("examples"));
            }
            // The number is replaced by the one that is written.
            "m-sam" => laid_over(&MicroBatchSamConfig::new(1), settings).map(Self::MicroBatchSam),
            _ => return Err(D::Error::unknown_variant(&name, &NAMES)),
        }
        .map_err(|error| D::Error::custom(format_args!("{name}: {error}")))
    }
}

/// Returns the defaults of a configuration with the settings that are written in place of theirs.
///
/// # Errors
/// A setting that the configuration does not have, or a value of another type: each with the name
/// of the setting.
fn laid_over<C>(defaults: &C, settings: Map<String, Value>) -> Result<C, serde_json::Error>
where
    C: Serialize + DeserializeOwned,
{
    let mut all = serde_json::to_value(defaults)?;
    for (name, value) in settings {
        let Some(place) = all.get_mut(&name) else {
            let names = all.as_object().into_iter().flat_map(Map::keys);
            let names = names.cloned().collect::<Vec<_>>().join(", ");
            let message = format!("there is no setting `{name}`; there are {names}");
            return Err(serde_json::Error::custom(message));
        };
        *place = value;
        // One by one, for an error that says which.
        if let Err(error) = C::deserialize(&all) {
            return Err(serde_json::Error::custom(format!("`{name}`: {error}")));
        }
    }
    C::deserialize(&all)
}
