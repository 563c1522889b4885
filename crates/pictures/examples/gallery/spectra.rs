//! Spectra.

use pictures::{
    Error, LogSpectrum, NamedSpectrum, Picture, Spectrum, SpectrumConfig, Theme, densities_with,
    density_with, log_density_with,
};

pub(crate) fn bulk(x: f64, width: f64) -> f64 {
    (-(x / width).powi(2) / 2.0).exp()
        + 1e-3 * (-((x - 8.0) / 0.4).powi(2) / 2.0).exp()
        + 1e-3 * (-((x - 5.0) / 0.4).powi(2) / 2.0).exp()
}

pub(crate) fn density(theme: Theme) -> Result<Picture, Error> {
    let grid: Vec<f64> = (-200..=1000).map(|k| f64::from(k) / 100.0).collect();
    let density: Vec<f64> = grid.iter().map(|x| bulk(*x, 0.4)).collect();
    let error: Vec<f64> = density.iter().map(|d| 0.5 * d).collect();
    let spectrum = Spectrum {
        grid: &grid,
        density: &density,
        nodes: &[-0.9, -0.4, 0.0, 0.3, 0.8, 5.0, 8.0],
        standard_error: &error,
    };
    density_with(
        &spectrum,
        &SpectrumConfig {
            theme,
            ..SpectrumConfig::new("Spectral density of the Hessian")
        },
    )
}

pub(crate) fn densities(theme: Theme) -> Result<Picture, Error> {
    let grid: Vec<f64> = (-200..=1000).map(|k| f64::from(k) / 100.0).collect();
    let wide: Vec<f64> = grid.iter().map(|x| bulk(*x, 0.4)).collect();
    let narrow: Vec<f64> = grid.iter().map(|x| bulk(2.0 * x, 0.4)).collect();
    let named = |name, density, nodes| NamedSpectrum {
        name,
        grid: &grid,
        density,
        nodes,
        standard_error: &[],
    };
    let curves = [
        named("SGD", &wide, &[-0.9, 8.0][..]),
        named("SAM", &narrow, &[-0.4, 4.0][..]),
    ];
    densities_with(
        &curves,
        &SpectrumConfig {
            theme,
            ..SpectrumConfig::new("Spectral densities")
        },
    )
}

pub(crate) fn log_density(theme: Theme) -> Result<Picture, Error> {
    let grid: Vec<f64> = (-120..=40).map(|k| f64::from(k) / 20.0).collect();
    let hill = |at: f64, width: f64, height: f64| {
        move |x: f64| height * (-((x - at) / width).powi(2) / 2.0).exp()
    };
    let of = |hills: &[(f64, f64, f64)]| -> Vec<f64> {
        grid.iter()
            .map(|x| hills.iter().map(|(a, w, h)| hill(*a, *w, *h)(*x)).sum())
            .collect()
    };
    let sgd = of(&[(-2.5, 0.8, 0.25), (0.9, 0.12, 0.004), (1.4, 0.1, 0.002)]);
    let sgd_negative = of(&[(-3.2, 0.7, 0.15), (-1.0, 0.1, 0.001)]);
    let sam = of(&[(-3.2, 0.8, 0.28), (0.2, 0.12, 0.004), (0.6, 0.1, 0.002)]);
    let sam_negative = of(&[(-4.0, 0.6, 0.12)]);
    let error: Vec<f64> = sgd.iter().map(|d| 0.4 * d).collect();
    let spectrum = |name, positive, negative, positive_error, unresolved| LogSpectrum {
        name,
        grid: &grid,
        positive,
        negative,
        positive_error,
        negative_error: &[],
        unresolved: Some(unresolved),
    };
    let spectra = [
        spectrum("SGD", &sgd, &sgd_negative, &error[..], (1e-6, 0.24)),
        spectrum("SAM", &sam, &sam_negative, &[][..], (1e-6, 0.31)),
    ];
    log_density_with(
        &spectra,
        &SpectrumConfig {
            theme,
            floor: 1e-4,
            ..SpectrumConfig::new("Eigenvalues over decades")
        },
    )
}
