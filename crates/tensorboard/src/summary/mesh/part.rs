//! The values of which a mesh is made in the file.

use super::Mesh;
use crate::proto::{DT_FLOAT, DT_INT32, DT_UINT8, Tensor, Value};
use crate::summary::{Data, SummaryValue};
use prost::Message;
use std::collections::HashMap;

/// `MeshPluginData.ContentType`, and the endings of tags.
const CONTENTS: [(i32, &str); 3] = [(1, "VERTEX"), (2, "FACE"), (3, "COLOR")];

/// What the plugin wants to know of each value of a mesh.
#[derive(Clone, PartialEq, Message)]
struct MeshPluginData {
    #[prost(int32, tag = "1")]
    version: i32,
    /// The tag of the mesh.
    #[prost(string, tag = "2")]
    name: String,
    #[prost(int32, tag = "3")]
    content_type: i32,
    #[prost(string, tag = "5")]
    json_config: String,
    #[prost(int32, repeated, tag = "6")]
    shape: Vec<i32>,
    /// A bit for each content that the mesh has.
    #[prost(uint32, tag = "7")]
    components: u32,
}

/// Returns the tags and values of a mesh that was checked.
pub(super) fn encode(tag: &str, mesh: &Mesh) -> Vec<(String, Data)> {
    let bytes = |numbers: &[[f32; 3]]| {
        numbers
            .as_flattened()
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect()
    };
    let vertices = bytes(&mesh.vertices);
    let faces = mesh
        .faces
        .as_flattened()
        .iter()
        .flat_map(|&vertex| vertex.to_le_bytes())
        .collect();
    let colors = mesh.colors.as_flattened().to_vec();
    let parts: [(i32, usize, Vec<u8>); 3] = [
        (DT_FLOAT, mesh.vertices.len(), vertices),
        (DT_INT32, mesh.faces.len(), faces),
        (DT_UINT8, mesh.colors.len(), colors),
    ];
    let present = || {
        parts
            .iter()
            .zip(CONTENTS)
            .filter(|((_, count, _), _)| *count > 0)
    };
    let components = present().map(|(_, (content, _))| 1 << content).sum();
    let value =
        |((dtype, count, content), (kind, ending)): (&(i32, usize, Vec<u8>), (i32, &str))| {
            let plugin = MeshPluginData {
                version: 0,
                name: tag.to_owned(),
                content_type: kind,
                json_config: if mesh.config.is_empty() {
                    "{}".into()
                } else {
                    mesh.config.clone()
                },
                shape: vec![1, i32::try_from(*count).unwrap_or(i32::MAX), 3],
                components,
            };
            let tensor = Tensor {
                tensor_content: content.clone(),
                ..Tensor::of(*dtype, &[1, *count, 3])
            };
            (
                format!("{tag}_{ending}"),
                Data::Described(tensor, plugin.encode_to_vec()),
            )
        };
    present().map(value).collect()
}

/// One decoded value of a mesh.
pub(in crate::summary) struct Part {
    name: String,
    config: String,
    content: Content,
}

enum Content {
    Vertices(Vec<[f32; 3]>),
    Faces(Vec<[u32; 3]>),
    Colors(Vec<[u8; 3]>),
}

impl Part {
    /// Decodes a value; none if it is not one of a mesh that the viewer could draw.
    pub(in crate::summary) fn decode(value: &Value) -> Option<Self> {
        let plugin = value.metadata.as_ref()?.plugin_data.as_ref()?;
        let tensor = value.tensor.as_ref()?;
        let data = MeshPluginData::decode(plugin.content.as_slice()).ok()?;
        // A batch of several meshes is not written here, and has no place in one mesh.
        let sizes: Vec<i64> = tensor
            .tensor_shape
            .as_ref()?
            .dim
            .iter()
            .map(|dim| dim.size)
            .collect();
        let &[1, count, 3] = sizes.as_slice() else {
            return None;
        };
        let count = usize::try_from(count).ok()?;
        let content = match (data.content_type, tensor.dtype) {
            (1, DT_FLOAT) => {
                let numbers = tensor.singles()?;
                Content::Vertices(threes(numbers, count)?)
            }
            (2, DT_INT32) => {
                let numbers = tensor.integers()?;
                let vertices: Option<Vec<u32>> = numbers
                    .into_iter()
                    .map(|vertex| u32::try_from(vertex).ok())
                    .collect();
                Content::Faces(threes(vertices?, count)?)
            }
            (3, DT_UINT8) => {
                let numbers = tensor.integers()?;
                let colors: Option<Vec<u8>> = numbers
                    .into_iter()
                    .map(|color| u8::try_from(color).ok())
                    .collect();
                Content::Colors(threes(colors?, count)?)
            }
            _ => return None,
        };
        let config = if data.json_config == "{}" {
            String::new()
        } else {
            data.json_config
        };
        Some(Self {
            name: data.name,
            config,
            content,
        })
    }
}

/// Returns numbers in threes, if there are as many as their shape says.
fn threes<T: Copy>(numbers: Vec<T>, count: usize) -> Option<Vec<[T; 3]>> {
    let (threes, rest) = numbers.as_chunks();
    (rest.is_empty() && threes.len() == count).then(|| threes.to_vec())
}

/// The meshes of one event, put together from their parts.
#[derive(Default)]
pub(in crate::summary) struct Parts {
    meshes: Vec<Mesh>,
    of_name: HashMap<String, usize>,
}

impl Parts {
    /// Adds a part; returns the name and the number of its mesh if that is a new one.
    pub(in crate::summary) fn add(&mut self, part: Part) -> Option<(String, usize)> {
        let known = self.of_name.get(&part.name).copied();
        let index = known.unwrap_or(self.meshes.len());
        if known.is_none() {
            self.of_name.insert(part.name.clone(), index);
            self.meshes.push(Mesh {
                config: part.config,
                ..Mesh::default()
            });
        }
        let mesh = &mut self.meshes[index];
        match part.content {
            Content::Vertices(vertices) => mesh.vertices = vertices,
            Content::Faces(faces) => mesh.faces = faces,
            Content::Colors(colors) => mesh.colors = colors,
        }
        known.is_none().then_some((part.name, index))
    }

    /// Takes a mesh out, as a value.
    pub(in crate::summary) fn take(&mut self, index: usize) -> SummaryValue {
        let mesh = std::mem::take(&mut self.meshes[index]);
        if mesh.check().is_ok() {
            SummaryValue::Mesh(mesh)
        } else {
            SummaryValue::Other("mesh".into())
        }
    }
}
