//! Lock-step decoding of one shard of requests.
//!
//! Requests whose episodes hold the same tokens and pictures so far are decoded as one: a row of the network's output
//! depends on nothing else. They part where their samples differ, and each then goes on with a copy of the memory. So
//! the eight rollouts of a question share its picture's and its prompt's keys and values, and whatever they say alike.

use std::collections::HashMap;
use std::sync::Arc;

use vrrl_harness_core::{Constraint, Owner, Reply, Request, Rng, TokenRecord};
use vrrl_trainer_codec::{log_prob, sample, Tokenizer};
use vrrl_trainer_model::{Error, Extension, Memory, Network, Piece};

/// What is remembered of one open episode.
#[derive(Clone, Default)]
pub(crate) struct Track {
    /// Shared with the episodes that said the same; `None` before the first turn.
    memory: Option<Arc<Memory>>,
    /// Turns whose tokens are in the memory, the last reply's final token excepted.
    turns: usize,
    /// That final token, not yet in the memory, with its slot.
    pending: Option<(u32, u32)>,
}

impl Track {
    /// Turns already in memory.
    pub(crate) fn turns(&self) -> usize {
        self.turns
    }
}

/// One request with its episode's memory and its images.
pub(crate) struct Job<'a> {
    pub request: Request<'a>,
    pub track: Track,
    /// Every image from turn `track.turns` on, the newest last; `None` where nothing was drawn.
    pub images: Vec<Option<usize>>,
}

/// What one turn appends: turn, first slot, image, ids.
type Part = (u32, u32, Option<usize>, Vec<u32>);

/// Jobs that stand at the same place, and what brings their memory up to the request.
pub(crate) struct Group<'a> {
    memory: Option<Arc<Memory>>,
    parts: Vec<Part>,
    members: Vec<Member<'a>>,
}

/// One job of a group: its place among the requests, and its reply so far.
struct Member<'a> {
    at: usize,
    request: Request<'a>,
    prompt_tokens: u64,
    ids: Vec<u32>,
    log_probs: Vec<f32>,
    rng: Rng,
}

/// Members that said the same so far, in this turn too.
struct Node<'a> {
    members: Vec<Member<'a>>,
    /// Slot of the next token.
    slot: u32,
}

/// A finished reply: the request's place, the reply, the episode's memory.
pub(crate) type Answer = (usize, Reply, Track);

/// Puts jobs together that stand at the same place, in order of their first members.
pub(crate) fn group<'a>(tokenizer: &Tokenizer, jobs: Vec<Job<'a>>) -> Result<Vec<Group<'a>>, Error> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: HashMap<(Option<*const Memory>, Vec<Part>), usize> = HashMap::new();
    for (at, job) in jobs.into_iter().enumerate() {
        let parts = parts(tokenizer, &job)?;
        let Job { request, track, .. } = job;
        // A pointer names its memory while the group holds it.
        let place =
            *known.entry((track.memory.as_ref().map(Arc::as_ptr), parts.clone())).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group { memory: track.memory, parts, members: Vec::new() });
        }
        let (ids, log_probs, rng) = (Vec::new(), Vec::new(), request.seed.rng());
        groups[place].members.push(Member { at, request, prompt_tokens: 0, ids, log_probs, rng });
    }
    Ok(groups)
}

/// What a job's memory lacks: the last reply's final token, whole turns of a roll-in prefix that this policy never
/// decoded, and the prompt.
fn parts(tokenizer: &Tokenizer, job: &Job<'_>) -> Result<Vec<Part>, Error> {
    let Job { request, track, images } = job;
    let prompt = tokenizer.prompt(&request.example.problem.question());
    let mut parts = Vec::with_capacity(2);
    if let Some((id, slot)) = track.pending {
        parts.push((track.turns as u32 - 1, slot, None, vec![id]));
    }
    let lacking = request.history[track.turns..].iter().map(Some).chain([None]);
    for ((turn, past), image) in (track.turns as u32..).zip(lacking).zip(images) {
        let mut ids = prompt.clone();
        match past.map(|turn| (&turn.reply.tokens, &turn.reply.text)) {
            Some((Some(tokens), _)) => ids.extend(&tokens.ids),
            Some((None, text)) => {
                ids.extend(tokenizer.encode(text).map_err(|e| Error::Config(e.to_string()))?);
            }
            None => {}
        }
        parts.push((turn, 0, *image, ids));
    }
    Ok(parts)
}

/// Decodes a reply for every member of these groups; `image` gives an image's tokens.
pub(crate) fn decode<'i>(
    network: &Network,
    tokenizer: &Tokenizer,
    mut groups: Vec<Group<'_>>,
    image: &dyn Fn(usize) -> &'i [f32],
) -> Result<Vec<Answer>, Error> {
    let config = network.config();
    let mut memories: Vec<Arc<Memory>> =
        groups.iter_mut().map(|group| group.memory.take().unwrap_or_default()).collect();
    let new: Vec<Vec<Extension<'_>>> =
        groups.iter().map(|group| group.parts.iter().map(|part| extension(part, image)).collect()).collect();
    let mut logits = network.extend(&mut own(network, &mut memories), &new)?;
    drop(new);
    let mut nodes: Vec<Node<'_>> = groups
        .into_iter()
        .map(|Group { parts, members, .. }| {
            let picture = |image: &Option<usize>| if image.is_some() { config.image_tokens() } else { 0 };
            let slot = parts.last().map_or(0, |(_, _, image, ids)| picture(image) + ids.len()) as u32;
            Node { members, slot }
        })
        .collect();
    let mut done = Vec::new();
    loop {
        let (mut next, mut kept) = (Vec::with_capacity(nodes.len()), Vec::with_capacity(nodes.len()));
        for ((node, memory), row) in nodes.into_iter().zip(memories).zip(logits.chunks_exact(config.vocab)) {
            branch(network, tokenizer, (node, memory), row, &mut done, &mut |node, memory| {
                next.push(node);
                kept.push(memory);
            })?;
        }
        if next.is_empty() {
            return Ok(done);
        }
        let new: Vec<Vec<Extension<'_>>> = next.iter().map(|node| vec![node.step()]).collect();
        logits = network.extend(&mut own(network, &mut kept), &new)?;
        drop(new);
        (nodes, memories) = (next, kept);
    }
}

fn extension<'p, 'i: 'p>(
    (turn, slot, seen, ids): &'p Part,
    image: &dyn Fn(usize) -> &'i [f32],
) -> Extension<'p> {
    let pieces = seen.map(|seen| Piece::Image(image(seen))).into_iter().chain([Piece::Ids(ids)]).collect();
    Extension { turn: *turn, slot: *slot, pieces }
}

/// The memories to write to: copies of those that others hold, too.
fn own<'m>(network: &Network, memories: &'m mut [Arc<Memory>]) -> Vec<&'m mut Memory> {
    memories
        .iter_mut()
        .map(|memory| {
            if Arc::get_mut(memory).is_none() {
                *memory = Arc::new(network.fork(memory));
            }
            Arc::get_mut(memory).expect("nobody else holds what was just made")
        })
        .collect()
}

/// Samples a token for every member of a node. Those that go on make a node for each token; the others are done.
fn branch<'a>(
    network: &Network,
    tokenizer: &Tokenizer,
    (node, memory): (Node<'a>, Arc<Memory>),
    row: &[f32],
    done: &mut Vec<Answer>,
    open: &mut dyn FnMut(Node<'a>, Arc<Memory>),
) -> Result<(), Error> {
    if let Some(x) = row.iter().find(|x| !x.is_finite()) {
        let reason = format!("the network's logits hold {x}; use an earlier checkpoint");
        return Err(Error::Config(reason));
    }
    let slot = node.slot + 1;
    let mut children: Vec<(u32, Vec<Member<'a>>)> = Vec::new();
    for mut member in node.members {
        let (sampling, constraint) = (member.request.sampling, member.request.constraint);
        let id = match constraint {
            Constraint::MustRevise if member.ids.is_empty() => tokenizer.revision(member.request.dialect),
            Constraint::Free | Constraint::MustRevise => sample(row, sampling.temperature, &mut member.rng),
        };
        if member.ids.is_empty() {
            member.prompt_tokens = memory.len() as u64;
        }
        member.ids.push(id);
        member.log_probs.push(log_prob(row, id));
        let full = member.ids.len() >= sampling.max_tokens || slot >= network.config().slots as u32;
        if tokenizer.stops(id) || full {
            done.push(member.finish(tokenizer, memory.clone(), (id, slot - 1)));
        } else if let Some((_, members)) = children.iter_mut().find(|(other, _)| *other == id) {
            members.push(member);
        } else {
            children.push((id, vec![member]));
        }
    }
    // The last child takes the memory itself, so that only real partings copy.
    let last = children.pop();
    for (_, members) in children {
        open(Node { members, slot }, memory.clone());
    }
    if let Some((_, members)) = last {
        open(Node { members, slot }, memory);
    }
    Ok(())
}

impl Node<'_> {
    /// The last token, to append.
    fn step(&self) -> Extension<'_> {
        let Member { request, ids, .. } = &self.members[0];
        let pieces = vec![Piece::Ids(&ids[ids.len() - 1..])];
        Extension { turn: request.history.len() as u32, slot: self.slot - 1, pieces }
    }
}

impl Member<'_> {
    fn finish(self, tokenizer: &Tokenizer, memory: Arc<Memory>, last: (u32, u32)) -> Answer {
        let track =
            Track { memory: Some(memory), turns: self.request.history.len() + 1, pending: Some(last) };
        let mut owners = vec![Owner::Policy; self.ids.len()];
        if self.request.constraint == Constraint::MustRevise {
            // The method chose this token.
            owners[0] = Owner::Trigger;
        }
        let reply = Reply {
            text: tokenizer.decode(&self.ids),
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.ids.len() as u64,
            cut: !tokenizer.stops(last.0),
            tokens: Some(TokenRecord { ids: self.ids, owners, log_probs: self.log_probs }),
            ..Reply::default()
        };
        (self.at, reply, track)
    }
}
