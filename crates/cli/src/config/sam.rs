//! What sharpness-aware methods have beside a radius: as it is written, and decided.

use ::sam::{EsamConfig, FriendlySamConfig, GsamConfig, LookSamConfig};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::bounded::{BelowOne, Bounded, Count, Fraction, NonNegative, Range};
use super::choice::{Method, name};

/// A `sam` table, or the flags `--sam-*`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "a table of settings of sharpness-aware methods"
)]
pub(crate) struct SamSettings {
    /// looksam: every k-th step looks for a peak
    #[arg(long = "sam-k", value_name = "N", help_heading = "Methods")]
    pub(crate) k: Option<Count>,
    /// gsam: how much of the part of g orthogonal to the gradient at the peak is taken off; looksam: length of what is reused,
    /// over that of the gradient
    #[arg(long = "sam-alpha", value_name = "X", help_heading = "Methods")]
    pub(crate) alpha: Option<Bounded<NonNegative>>,
    /// esam: probability with which a weight is perturbed
    #[arg(long = "sam-beta", value_name = "X", help_heading = "Methods")]
    pub(crate) beta: Option<Bounded<Fraction>>,
    /// esam: share of the examples that the second pass takes
    #[arg(long = "sam-gamma", value_name = "X", help_heading = "Methods")]
    pub(crate) gamma: Option<Bounded<Fraction>>,
    /// friendly-sam: how much of the average gradient is taken off the ascent
    #[arg(long = "sam-sigma", value_name = "X", help_heading = "Methods")]
    pub(crate) sigma: Option<Bounded<NonNegative>>,
    /// friendly-sam: decay of the average gradient
    #[arg(long = "sam-lambda", value_name = "X", help_heading = "Methods")]
    pub(crate) lambda: Option<Bounded<BelowOne>>,
    /// m-sam: examples of a micro-batch (otherwise a quarter of the batch; as many as a batch or more is sam)
    #[arg(long = "sam-micro-batch", value_name = "N", help_heading = "Methods")]
    pub(crate) micro_batch: Option<Count>,
}

impl SamSettings {
    /// These settings where they say something, `base` elsewhere.
    pub(crate) fn over(self, base: Self) -> Self {
        Self {
            k: self.k.or(base.k),
            alpha: self.alpha.or(base.alpha),
            beta: self.beta.or(base.beta),
            gamma: self.gamma.or(base.gamma),
            sigma: self.sigma.or(base.sigma),
            lambda: self.lambda.or(base.lambda),
            micro_batch: self.micro_batch.or(base.micro_batch),
        }
    }

    /// The first key given here that none of the methods has, and why that is a mistake.
    pub(crate) fn useless(&self, methods: &[Method]) -> Option<(&'static str, String)> {
        let given = [
            ("k", self.k.is_some()),
            ("alpha", self.alpha.is_some()),
            ("beta", self.beta.is_some()),
            ("gamma", self.gamma.is_some()),
            ("sigma", self.sigma.is_some()),
            ("lambda", self.lambda.is_some()),
            ("micro_batch", self.micro_batch.is_some()),
        ];
        let has = |method: &Method, key| keys(*method).contains(&key);
        let (key, _) = given
            .into_iter()
            .find(|&(key, given)| given && !methods.iter().any(|method| has(method, key)))?;
        let every = [
            Method::Gsam,
            Method::LookSam,
            Method::Esam,
            Method::FriendlySam,
            Method::MicroBatchSam,
        ];
        let having: Vec<String> = every
            .into_iter()
            .filter(|method| has(method, key))
            .map(name)
            .collect();
        let mut here: Vec<String> = Vec::new();
        for method in methods.iter().map(|&method| name(method)) {
            if !here.contains(&method) {
                here.push(method);
            }
        }
        let message = format!(
            "only the method {} has this setting; here the method is {}",
            having.join(" or "),
            here.join(" and ")
        );
        Some((key, message))
    }
}

/// The settings that a method reads.
const fn keys(method: Method) -> &'static [&'static str] {
    match method {
        Method::Plain | Method::Sam | Method::Asam => &[],
        Method::Gsam => &["alpha"],
        Method::LookSam => &["k", "alpha"],
        Method::Esam => &["beta", "gamma"],
        Method::FriendlySam => &["sigma", "lambda"],
        Method::MicroBatchSam => &["micro_batch"],
    }
}

/// The settings of one method, decided; what it does not have is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SamPlan {
    /// Steps from one peak to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) k: Option<Count>,
    /// Of GSAM or LookSAM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alpha: Option<Bounded<NonNegative>>,
    /// Probability with which a weight is perturbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beta: Option<Bounded<Fraction>>,
    /// Share of the examples in the second pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gamma: Option<Bounded<Fraction>>,
    /// Of the average gradient, taken off the ascent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sigma: Option<Bounded<NonNegative>>,
    /// Decay of the average gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lambda: Option<Bounded<BelowOne>>,
    /// Examples of a micro-batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) micro_batch: Option<Count>,
}

impl SamPlan {
    /// Decides what `settings` leave open, as the papers do, and drops what the method does not have.
    pub(crate) fn decide(settings: &SamSettings, method: Method, batch_size: Count) -> Self {
        let none = Self::default();
        match method {
            Method::Plain | Method::Sam | Method::Asam => none,
            Method::Gsam => Self {
                alpha: settings.alpha.or(Bounded::new(GsamConfig::new().alpha)),
                ..none
            },
            Method::LookSam => Self {
                k: settings.k.or(Count::new(LookSamConfig::new().k)),
                alpha: settings.alpha.or(Bounded::new(LookSamConfig::new().alpha)),
                ..none
            },
            Method::Esam => Self {
                beta: settings.beta.or(Bounded::new(EsamConfig::new().beta)),
                gamma: settings.gamma.or(Bounded::new(EsamConfig::new().gamma)),
                ..none
            },
            Method::FriendlySam => Self {
                sigma: settings
                    .sigma
                    .or(Bounded::new(FriendlySamConfig::new().sigma)),
                lambda: settings
                    .lambda
                    .or(Bounded::new(FriendlySamConfig::new().lambda)),
                ..none
            },
            Method::MicroBatchSam => Self {
                micro_batch: settings
                    .micro_batch
                    .or(Count::new(batch_size.get().div_ceil(4))),
                ..none
            },
        }
    }

    /// The settings in words, each after a comma.
    pub(crate) fn words(&self) -> String {
        let count =
            |name, value: Option<Count>| value.map(|value| format!(", {name} {}", value.get()));
        let words = [
            count("k", self.k),
            number("alpha", self.alpha),
            number("beta", self.beta),
            number("gamma", self.gamma),
            number("sigma", self.sigma),
            number("lambda", self.lambda),
            count("m", self.micro_batch),
        ];
        words.into_iter().flatten().collect()
    }
}

fn number<R: Range>(name: &str, value: Option<Bounded<R>>) -> Option<String> {
    value.map(|value| format!(", {name} {}", value.get()))
}
