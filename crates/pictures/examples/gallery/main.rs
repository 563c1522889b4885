//! Draws one picture of every kind, in light and in dark, into a folder. The numbers are made up.
//!
//! ```sh
//! cargo run --release -p pictures --example gallery -- runs/gallery
//! ```

mod lines;
mod spectra;
mod surfaces;

use std::path::Path;

use pictures::{Error, Picture, SheetConfig, Theme, sheet_with};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1);
    let folder = folder.unwrap_or_else(|| "runs/gallery".into());
    std::fs::create_dir_all(&folder)?;
    for (suffix, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let pictures = all(theme)?;
        for (name, picture) in &pictures {
            for ending in ["png", "svg"] {
                let file = format!("{name}-{suffix}.{ending}");
                picture.save(Path::new(&folder).join(file))?;
            }
        }
        let shown = pictures.iter().filter(|(name, _)| SHOWN.contains(name));
        let shown: Vec<Picture> = shown.map(|(_, picture)| picture.clone()).collect();
        let config = SheetConfig {
            columns: Some(3),
            theme,
            ..SheetConfig::new("")
        };
        let file = format!("gallery-{suffix}.png");
        sheet_with(&shown, &config)?.save(Path::new(&folder).join(file))?;
    }
    Ok(())
}

/// The pictures on the sheet of the README.
const SHOWN: [&str; 6] = [
    "contour-track",
    "perspective",
    "path-profiles",
    "stacked",
    "log-density",
    "matrix",
];

fn all(theme: Theme) -> Result<Vec<(&'static str, Picture)>, Error> {
    Ok(vec![
        ("contour", surfaces::contour(theme)?),
        ("contour-track", surfaces::contour_with_track(theme)?),
        ("contours", surfaces::contours(theme)?),
        ("perspective", surfaces::perspective(theme)?),
        ("perspective-holes", surfaces::holes(theme)?),
        ("perspectives", surfaces::perspectives(theme)?),
        ("cameras", surfaces::cameras(theme)?),
        ("test-functions", surfaces::test_functions(theme)?),
        ("line", lines::line(theme)?),
        ("stacked", lines::stacked(theme)?),
        ("path-profiles", lines::path_profiles(theme)?),
        ("matrix", lines::matrix(theme)?),
        ("density", spectra::density(theme)?),
        ("densities", spectra::densities(theme)?),
        ("log-density", spectra::log_density(theme)?),
    ])
}
