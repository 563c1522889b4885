//! The mesh: a coloured surface in space, which the browser can turn.

mod part;
mod surface;

pub(super) use part::{Part, Parts};
pub use surface::SurfaceConfig;

use super::Kind;
use crate::{Error, EventWriter};

/// The most vertices of a mesh: the viewer has 16 bits for their numbers.
pub(crate) const MOST_VERTICES: usize = 1 << 16;

/// The camera, the lights and the material of [`Mesh::surface`]: both sides are drawn, and lit from
/// above, for the viewer's own light comes from below, and its own grey darkens the colours.
const VIEW: &str = r##"{"camera":{"cls":"PerspectiveCamera","fov":50,"position":[1.6,1.5,2.2],"lookAt":[0,0,0]},"lights":[{"cls":"AmbientLight","color":"#ffffff","intensity":0.65},{"cls":"DirectionalLight","color":"#ffffff","intensity":0.5,"position":[1,3,2]}],"material":{"cls":"MeshStandardMaterial","color":"#ffffff","side":2,"roughness":0.9,"metalness":0}}"##;

/// A mesh of triangles, or a cloud of points where it has no faces.
///
/// The viewer turns it about its centre, with y upwards; it draws no axes and no colour bar, so a
/// contour picture beside it tells the numbers.
///
/// # Examples
/// ```
/// use tensorboard::{EventWriter, Mesh};
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = EventWriter::create(folder.path())?;
/// let triangle = Mesh {
///     vertices: vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
///     faces: vec![[0, 1, 2]],
///     ..Mesh::default()
/// };
/// writer.mesh("shapes/triangle", 0, &triangle)?;
/// assert_eq!(writer.finish()?.values, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mesh {
    /// Positions: x, y upwards, z towards the viewer. Finite, at most 65,536.
    pub vertices: Vec<[f32; 3]>,
    /// Triangles: the numbers of their vertices, from 0.
    pub faces: Vec<[u32; 3]>,
    /// Red, green and blue of each vertex; empty for grey.
    pub colors: Vec<[u8; 3]>,
    /// Classes of three.js as a JSON object, with the keys `camera`, `lights` and `material`;
    /// empty for those of the viewer.
    pub config: String,
}

impl Mesh {
    /// Checks what the viewer cannot draw: one vertex that is not finite blanks a whole mesh.
    ///
    /// # Errors
    /// [`Error::Mesh`] with the rule that is broken.
    pub fn check(&self) -> Result<(), Error> {
        let count = self.vertices.len();
        let wrong = |rule| Err(Error::Mesh { rule });
        if count == 0 {
            return wrong("it has no vertices".into());
        }
        if count > MOST_VERTICES {
            return wrong(format!(
                "it has {count} vertices, and the viewer takes {MOST_VERTICES}: thin it"
            ));
        }
        let finite = |vertex: &[f32; 3]| vertex.iter().all(|x| x.is_finite());
        if let Some(at) = self.vertices.iter().position(|vertex| !finite(vertex)) {
            let [x, y, z] = self.vertices[at];
            return wrong(format!("vertex {at} is ({x}, {y}, {z}), not finite"));
        }
        let inside = |face: &[u32; 3]| face.iter().all(|&vertex| (vertex as usize) < count);
        if let Some(at) = self.faces.iter().position(|face| !inside(face)) {
            let face = self.faces[at];
            return wrong(format!(
                "face {at} is {face:?}, but vertices have numbers below {count}"
            ));
        }
        let colors = self.colors.len();
        if colors != 0 && colors != count {
            return wrong(format!("it has {colors} colours for {count} vertices"));
        }
        let config = self.config.trim();
        let is_object = config.starts_with('{') && config.ends_with('}');
        if !(config.is_empty() || is_object) {
            return wrong(format!("its configuration `{config}` is no JSON object"));
        }
        Ok(())
    }
}

impl EventWriter {
    /// Writes a mesh, as the values `{tag}_VERTEX`, `{tag}_FACE` and `{tag}_COLOR` of one record.
    ///
    /// The page Mesh has a slider over the steps. Its camera is taken from the first step.
    ///
    /// # Errors
    /// [`Error::Mesh`], [`Error::EmptyTag`], [`Error::StepNotIncreasing`],
    /// [`Error::StepBeforeStart`], [`Error::TagKind`], [`Error::ValueTooLarge`]; nothing is written
    /// then. Failed output is not an error here, see [`EventWriter`].
    pub fn mesh(&mut self, tag: &str, step: i64, mesh: &Mesh) -> Result<(), Error> {
        mesh.check()?;
        if tag.is_empty() {
            return Err(Error::EmptyTag);
        }
        let values = part::encode(tag, mesh);
        // The description of the mesh stands with its vertices.
        if let (Some(description), Some((first, _))) =
            (self.descriptions.remove(tag), values.first())
        {
            self.descriptions.insert(first.clone(), description);
        }
        let (tags, data): (Vec<String>, Vec<_>) = values.into_iter().unzip();
        let values = tags.iter().map(String::as_str).zip(data).collect();
        self.write(Kind::Mesh, step, values)
    }
}
