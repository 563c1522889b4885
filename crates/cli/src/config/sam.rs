//! The settings of sharpness-aware methods beside the radius.

use ::sam::{EsamConfig, FriendlySamConfig, GsamConfig, LookSamConfig, MicroBatchSamConfig};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::bounded::{BelowOne, Bounded, Count, Fraction, NonNegative, Range};
use super::choice::{Method, name};
use crate::report::number::plain_number;

/// A `sam` table, or the flags `--sam-*`; decided for a method, what that has and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "a table of settings of sharpness-aware methods"
)]
pub(crate) struct SamSettings {
    /// looksam: every k-th step looks for a peak
    #[arg(
        long = "sam-k",
        value_name = "N",
        help_heading = "Methods",
        hide_short_help = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) k: Option<Count>,
    /// gsam: how much of the part of g orthogonal to the gradient at the peak is taken off;
    /// looksam: length of what is reused, over that of the gradient
    #[arg(
        long = "sam-alpha",
        value_name = "X",
        help_heading = "Methods",
        hide_short_help = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alpha: Option<Bounded<NonNegative>>,
    /// esam: probability with which a weight is perturbed
    #[arg(
        long = "sam-beta",
        value_name = "X",
        help_heading = "Methods",
        hide_short_help = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beta: Option<Bounded<Fraction>>,
    /// esam: share of the examples that the second pass takes
    #[arg(
        long = "sam-gamma",
        value_name = "X",
        help_heading = "Methods",
        hide_short_help = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gamma: Option<Bounded<Fraction>>,
    /// friendly-sam: how much of the average gradient is taken off the ascent
    #[arg(
        long = "sam-sigma",
        value_name = "X",
        help_heading = "Methods",
        hide_short_help = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sigma: Option<Bounded<NonNegative>>,
    /// friendly-sam: decay of the average gradient
    #[arg(
        long = "sam-lambda",
        value_name = "X",
        help_heading = "Methods",
        hide_short_help = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lambda: Option<Bounded<BelowOne>>,
    /// m-sam: examples of a micro-batch (otherwise a quarter of the batch; as many as a batch or
    /// more is sam)
    #[arg(
        long = "sam-micro-batch",
        value_name = "N",
        help_heading = "Methods",
        hide_short_help = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) micro_batch: Option<Count>,
}

impl SamSettings {
    /// Returns these settings with what is left open as in the papers, and without what the method
    /// does not have.
    pub(crate) fn decided(&self, method: Method, batch_size: Count) -> Self {
        let none = Self::default();
        match method {
            Method::Plain | Method::Sam | Method::Asam => none,
            Method::Gsam => Self {
                alpha: Bounded::new(self.gsam().alpha),
                ..none
            },
            Method::LookSam => Self {
                k: Count::new(self.looksam().k),
                alpha: Bounded::new(self.looksam().alpha),
                ..none
            },
            Method::Esam => Self {
                beta: Bounded::new(self.esam().beta),
                gamma: Bounded::new(self.esam().gamma),
                ..none
            },
            Method::FriendlySam => Self {
                sigma: Bounded::new(self.friendly_sam().sigma),
                lambda: Bounded::new(self.friendly_sam().lambda),
                ..none
            },
            Method::MicroBatchSam => Self {
                micro_batch: Count::new(self.m_sam(batch_size).examples),
                ..none
            },
        }
    }

    /// Returns GSAM with these settings.
    pub(crate) fn gsam(&self) -> GsamConfig {
        let mut config = GsamConfig::new();
        config.alpha = self.alpha.map_or(config.alpha, Bounded::get);
        config
    }

    /// Returns LookSAM with these settings.
    pub(crate) fn looksam(&self) -> LookSamConfig {
        let mut config = LookSamConfig::new();
        config.k = self.k.map_or(config.k, Count::get);
        config.alpha = self.alpha.map_or(config.alpha, Bounded::get);
        config
    }

    /// Returns ESAM with these settings.
    pub(crate) fn esam(&self) -> EsamConfig {
        let mut config = EsamConfig::new();
        config.beta = self.beta.map_or(config.beta, Bounded::get);
        config.gamma = self.gamma.map_or(config.gamma, Bounded::get);
        config
    }

    /// Returns Friendly-SAM with these settings.
    pub(crate) fn friendly_sam(&self) -> FriendlySamConfig {
        let mut config = FriendlySamConfig::new();
        config.sigma = self.sigma.map_or(config.sigma, Bounded::get);
        config.lambda = self.lambda.map_or(config.lambda, Bounded::get);
        config
    }

    /// Returns m-SAM with these settings.
    pub(crate) fn m_sam(&self, batch_size: Count) -> MicroBatchSamConfig {
        let quarter = batch_size.get().div_ceil(4);
        MicroBatchSamConfig::new(self.micro_batch.map_or(quarter, Count::get))
    }

    /// Returns the first key given here that none of the methods has, and why that is a mistake.
    pub(crate) fn useless(&self, methods: &[Method]) -> Option<(&'static str, String)> {
        let has = |method: Method, key| {
            let decided = Self::default().decided(method, Count::constant(1));
            decided.given().any(|(having, _)| having == key)
        };
        let (key, _) = self
            .given()
            .find(|&(key, _)| !methods.iter().any(|&method| has(method, key)))?;
        let names = |among: &mut dyn FnMut(Method) -> bool, word: &str| {
            let methods = Method::value_variants().iter().copied();
            let names: Vec<String> = methods.filter(|&method| among(method)).map(name).collect();
            names.join(word)
        };
        let message = format!(
            "only the method {} has this setting; here the method is {}",
            names(&mut |method| has(method, key), " or "),
            names(&mut |method| methods.contains(&method), " and ")
        );
        Some((key, message))
    }

    /// Returns the settings in words, with commas between.
    pub(crate) fn words(&self) -> String {
        let symbol = |key| if key == "micro_batch" { "m" } else { key };
        let words = self
            .given()
            .map(|(key, value)| format!("{} {value}", symbol(key)));
        words.collect::<Vec<_>>().join(", ")
    }

    /// Returns the keys that have a value, with it.
    fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let count = |value: Count| value.get().to_string();
        let all = [
            ("k", self.k.map(count)),
            ("alpha", self.alpha.map(number)),
            ("beta", self.beta.map(number)),
            ("gamma", self.gamma.map(number)),
            ("sigma", self.sigma.map(number)),
            ("lambda", self.lambda.map(number)),
            ("micro_batch", self.micro_batch.map(count)),
        ];
        all.into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
    }
}

fn number<R: Range>(value: Bounded<R>) -> String {
    plain_number(value.get())
}
