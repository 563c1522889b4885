//! The methods that are compared, with the settings of their papers, and LookSAM with gentler ones.

/// How the gradient of a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Sgd,
    Sam,
    Asam,
    Gsam,
    LookSam,
    GentleLookSam,
    Esam,
    Friendly,
    MicroBatch,
}

impl Method {
    pub(crate) const ALL: [Self; 9] = [
        Self::Sgd,
        Self::Sam,
        Self::Asam,
        Self::Gsam,
        Self::LookSam,
        Self::GentleLookSam,
        Self::Esam,
        Self::Friendly,
        Self::MicroBatch,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sgd => "SGD, momentum 0.9",
            Self::Sam => "SAM, rho 0.05",
            Self::Asam => "ASAM, rho 0.5",
            Self::Gsam => "GSAM, rho 0.05, alpha 0.4",
            Self::LookSam => "LookSAM, rho 0.1, k 10, alpha 0.7",
            Self::GentleLookSam => "LookSAM, rho 0.1, k 5, alpha 0.2",
            Self::Esam => "ESAM, rho 0.05, beta 0.5, gamma 0.5",
            Self::Friendly => "Friendly-SAM, rho 0.05, sigma 1, lambda 0.9",
            Self::MicroBatch => "m-SAM, rho 0.05, m a quarter of a batch",
        }
    }
}

/// `$body` with `$sharp` a sharpness-aware method for batches of so many examples, or `$plain` for the base
/// optimiser alone. The methods are of different types, so that no closure can do it.
macro_rules! with_method {
    ($method:expr, $batch:expr, |$sharp:ident| $body:expr, $plain:expr) => {{
        use $crate::method::Method;
        match $method {
            Method::Sgd => $plain,
            Method::Sam => {
                let mut $sharp = sam::SamConfig::new().init();
                $body
            }
            Method::Asam => {
                let mut $sharp = sam::AsamConfig::new().init();
                $body
            }
            Method::Gsam => {
                let mut $sharp = sam::GsamConfig::new().init();
                $body
            }
            Method::LookSam => {
                let mut $sharp = sam::LookSamConfig::new().init();
                $body
            }
            Method::GentleLookSam => {
                let mut $sharp = sam::LookSamConfig::new().with_k(5).with_alpha(0.2).init();
                $body
            }
            Method::Esam => {
                let mut $sharp = sam::EsamConfig::new().init();
                $body
            }
            Method::Friendly => {
                let mut $sharp = sam::FriendlySamConfig::new().init();
                $body
            }
            Method::MicroBatch => {
                let mut $sharp = sam::MicroBatchSamConfig::new($batch / 4).init();
                $body
            }
        }
    }};
}

pub(crate) use with_method;
