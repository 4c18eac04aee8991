//! Names as small numbers: texts of columns, and the nodes of a service map that they make up. Scans intern while they read,
//! so that the logic of a trace compares numbers; a table of names belongs to one scan and is merged into another by name.

use ahash::HashMap;

/// A node of the map: a number in one [`Names`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct NodeId(pub(super) u32);

impl NodeId {
    /// No node: the row stands for none, or the table is full.
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) fn idx(self) -> usize {
        self.0 as usize
    }
}

/// A node by what identifies it. The account is empty where rows name none.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Node {
    pub name: String,
    pub r#type: String,
    pub account_id: String,
}

/// Nodes of one map. What comes after them is counted and left out.
pub const NODES_MAX: usize = 10_000;
/// Texts that one scan tells apart; a text after them reads as absent.
const TEXTS_MAX: usize = 200_000;
/// Combinations of a client's columns whose node is remembered.
const DERIVED_MAX: usize = 100_000;

/// The code of a text; [`ABSENT`] for null.
pub(super) type Code = u32;
pub(super) const ABSENT: Code = u32::MAX;

/// The columns that name what a client calls, as codes.
pub(super) type ClientKey = [Code; 16];

#[derive(Default)]
pub(super) struct Names {
    texts: Vec<String>,
    codes: HashMap<String, Code>,
    /// Texts of at most 12 bytes by their view, which holds them whole.
    short: HashMap<u128, Code>,
    nodes: Vec<[Code; 3]>,
    ids: HashMap<[Code; 3], NodeId>,
    derived: HashMap<ClientKey, NodeId>,
    pub(super) omitted: u64,
}

impl Names {
    /// The code of a text whose view is `view`.
    pub(super) fn viewed(&mut self, view: u128, text: &str) -> Code {
        let is_short = text.len() <= 12;
        if is_short && let Some(code) = self.short.get(&view) {
            return *code;
        }
        let code = self.code(text);
        if is_short && code != ABSENT {
            self.short.insert(view, code);
        }
        code
    }

    pub(super) fn code(&mut self, text: &str) -> Code {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        if self.texts.len() >= TEXTS_MAX {
            return ABSENT;
        }
        let code = Code::try_from(self.texts.len()).unwrap_or(ABSENT);
        self.texts.push(text.to_owned());
        self.codes.insert(text.to_owned(), code);
        code
    }

    /// Empty for [`ABSENT`].
    pub(super) fn text(&self, code: Code) -> &str {
        self.texts.get(code as usize).map_or("", String::as_str)
    }

    pub(super) fn node(&mut self, name: Code, r#type: Code, account: Code) -> NodeId {
        let empty = self.code("");
        let whole = |code: Code| if code == ABSENT { empty } else { code };
        let key = [name, whole(r#type), whole(account)];
        if name == ABSENT {
            return NodeId::NONE;
        }
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        if self.nodes.len() >= NODES_MAX {
            self.omitted += 1;
            return NodeId::NONE;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(key);
        self.ids.insert(key, id);
        id
    }

    pub(super) fn named(&mut self, node: &Node) -> NodeId {
        let codes = [&node.name, &node.r#type, &node.account_id].map(|text| self.code(text));
        self.node(codes[0], codes[1], codes[2])
    }

    pub(super) fn get(&self, id: NodeId) -> Node {
        let Some([name, r#type, account]) = self.nodes.get(id.idx()) else { return Node::default() };
        let text = |code: &Code| self.text(*code).to_owned();
        Node { name: text(name), r#type: text(r#type), account_id: text(account) }
    }

    /// The node of a client with these columns, computed once for each combination.
    pub(super) fn derived(&mut self, key: &ClientKey, node: impl FnOnce(&Self) -> Option<Node>) -> NodeId {
        if let Some(id) = self.derived.get(key) {
            return *id;
        }
        let id = match node(self) {
            Some(node) => self.named(&node),
            None => NodeId::NONE,
        };
        if self.derived.len() < DERIVED_MAX {
            self.derived.insert(*key, id);
        }
        id
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// What each node of `other` is here.
    pub(super) fn adopt(&mut self, other: &Self) -> Vec<NodeId> {
        self.omitted += other.omitted;
        (0..other.nodes.len() as u32).map(|id| self.named(&other.get(NodeId(id)))).collect()
    }
}
