//! Lock-step decoding of one shard of requests.

use std::collections::BTreeMap;

use vrrl_harness_core::{Constraint, Owner, Reply, Request, Rng, TokenRecord};
use vrrl_trainer_codec::{log_prob, sample, Tokenizer};
use vrrl_trainer_model::{Error, Extension, Memory, Network, Piece};

/// What is remembered of one open episode.
#[derive(Default)]
pub(crate) struct Track {
    memory: Memory,
    /// Turns whose tokens are in the memory, the last reply's final token excepted.
    turns: usize,
    /// That final token, not yet in the memory, with its slot.
    pending: Option<(u32, u32)>,
}

/// One request with its episode's memory and its images' tokens.
pub(crate) struct Job<'a> {
    pub request: Request<'a>,
    pub track: Track,
    /// Tokens of every image from turn `track.turns` on, the newest last; `None` where nothing was drawn.
    pub images: Vec<Option<&'a [f32]>>,
}

/// A reply being written.
struct Draft {
    ids: Vec<u32>,
    log_probs: Vec<f32>,
    rng: Rng,
    /// Slot of the next token.
    slot: u32,
    open: bool,
}

/// Decodes a reply for every job and updates the tracks.
pub(crate) fn decode(
    network: &Network,
    tokenizer: &Tokenizer,
    jobs: &mut [Job<'_>],
) -> Result<Vec<Reply>, Error> {
    catch_up(network, tokenizer, jobs)?;
    let prompts = prompts(tokenizer, jobs);
    let vocab = network.config().vocab;
    let mut prompt_tokens = Vec::with_capacity(jobs.len());
    let (mut logits, mut drafts) = {
        let mut memories = Vec::with_capacity(jobs.len());
        let mut extensions = Vec::with_capacity(jobs.len());
        let mut drafts = Vec::with_capacity(jobs.len());
        for (job, prompt) in jobs.iter_mut().zip(&prompts) {
            let mut pieces = Vec::with_capacity(2);
            let mut slot = 0;
            if let Some(Some(tokens)) = job.images.last() {
                slot += network.config().image_tokens() as u32;
                pieces.push(Piece::Image(tokens));
            }
            pieces.push(Piece::Ids(prompt));
            slot += prompt.len() as u32;
            let turn = job.request.history.len() as u32;
            extensions.push(Extension { turn, slot: 0, pieces });
            prompt_tokens.push(job.track.memory.len() as u64 + u64::from(slot));
            drafts.push(Draft {
                ids: Vec::new(),
                log_probs: Vec::new(),
                rng: job.request.seed.rng(),
                slot,
                open: true,
            });
            memories.push(&mut job.track.memory);
        }
        (network.extend(&mut memories, &extensions)?, drafts)
    };
    let slots = network.config().slots as u32;
    loop {
        // `logits` has a row for each open draft, in order.
        let open = drafts.iter_mut().zip(jobs.iter()).filter(|(draft, _)| draft.open);
        for ((draft, job), row) in open.zip(logits.chunks_exact(vocab)) {
            if let Some(x) = row.iter().find(|x| !x.is_finite()) {
                let reason = format!("the network's logits hold {x}; use an earlier checkpoint");
                return Err(Error::Config(reason));
            }
            let first = draft.ids.is_empty();
            let bans = first && job.request.constraint == Constraint::MustRevise;
            let forbidden = if bans { tokenizer.commits() } else { &[] };
            let id = sample(row, job.request.sampling.temperature, forbidden, &mut draft.rng);
            draft.ids.push(id);
            draft.log_probs.push(log_prob(row, id));
            draft.slot += 1;
            let full = draft.ids.len() >= job.request.sampling.max_tokens || draft.slot >= slots;
            draft.open = !tokenizer.stops(id) && !full;
        }
        let mut memories = Vec::new();
        let mut extensions = Vec::new();
        for (draft, job) in drafts.iter().zip(jobs.iter_mut()).filter(|(draft, _)| draft.open) {
            let last = &draft.ids[draft.ids.len() - 1..];
            let turn = job.request.history.len() as u32;
            extensions.push(Extension { turn, slot: draft.slot - 1, pieces: vec![Piece::Ids(last)] });
            memories.push(&mut job.track.memory);
        }
        if extensions.is_empty() {
            break;
        }
        logits = network.extend(&mut memories, &extensions)?;
    }
    Ok(drafts
        .into_iter()
        .zip(jobs.iter_mut())
        .zip(prompt_tokens)
        .map(|((draft, job), prompt_tokens)| finish(tokenizer, draft, job, prompt_tokens))
        .collect())
}

/// What stands behind each request's picture.
fn prompts(tokenizer: &Tokenizer, jobs: &[Job<'_>]) -> Vec<Vec<u32>> {
    jobs.iter().map(|job| tokenizer.prompt(&job.request.example.problem.question())).collect()
}

fn finish(tokenizer: &Tokenizer, draft: Draft, job: &mut Job<'_>, prompt_tokens: u64) -> Reply {
    let last = draft.ids.last().copied();
    job.track.turns = job.request.history.len() + 1;
    job.track.pending = last.map(|id| (id, draft.slot - 1));
    let mut owners = vec![Owner::Policy; draft.ids.len()];
    if job.request.constraint == Constraint::MustRevise {
        // The method chose this token by forbidding the others.
        owners[0] = Owner::Trigger;
    }
    Reply {
        text: tokenizer.decode(&draft.ids),
        prompt_tokens,
        completion_tokens: draft.ids.len() as u64,
        cut: !last.is_some_and(|id| tokenizer.stops(id)),
        tokens: Some(TokenRecord { ids: draft.ids, owners, log_probs: draft.log_probs }),
        ..Reply::default()
    }
}

/// Brings every memory up to the request: final tokens of the last replies, and whole turns of a roll-in
/// prefix that this policy never decoded.
fn catch_up(network: &Network, tokenizer: &Tokenizer, jobs: &mut [Job<'_>]) -> Result<(), Error> {
    let pending: Vec<Option<(u32, u32)>> = jobs.iter_mut().map(|job| job.track.pending.take()).collect();
    let ids: Vec<[u32; 1]> = pending.iter().map(|p| [p.map_or(0, |(id, _)| id)]).collect();
    let mut memories = Vec::new();
    let mut extensions = Vec::new();
    for ((job, pending), id) in jobs.iter_mut().zip(&pending).zip(&ids) {
        if let Some((_, slot)) = pending {
            let turn = job.track.turns as u32 - 1;
            extensions.push(Extension { turn, slot: *slot, pieces: vec![Piece::Ids(id)] });
            memories.push(&mut job.track.memory);
        }
    }
    if !extensions.is_empty() {
        network.extend(&mut memories, &extensions)?;
    }
    loop {
        let mut replay: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (at, job) in jobs.iter().enumerate() {
            if let Some(turn) = job.request.history.get(job.track.turns) {
                let mut ids = tokenizer.prompt(&job.request.example.problem.question());
                match &turn.reply.tokens {
                    Some(tokens) => ids.extend(&tokens.ids),
                    None => ids.extend(
                        tokenizer.encode(&turn.reply.text).map_err(|e| Error::Config(e.to_string()))?,
                    ),
                }
                replay.insert(at, ids);
            }
        }
        if replay.is_empty() {
            return Ok(());
        }
        let mut memories = Vec::new();
        let mut extensions = Vec::new();
        for (at, job) in jobs.iter_mut().enumerate() {
            let Some(ids) = replay.get(&at) else { continue };
            let image = job.images.len() - 1 - (job.request.history.len() - job.track.turns);
            let mut pieces: Vec<Piece<'_>> = job.images[image].map(Piece::Image).into_iter().collect();
            pieces.push(Piece::Ids(ids));
            extensions.push(Extension { turn: job.track.turns as u32, slot: 0, pieces });
            job.track.turns += 1;
            memories.push(&mut job.track.memory);
        }
        network.extend(&mut memories, &extensions)?;
    }
}

impl Track {
    /// Turns already in memory.
    pub(crate) fn turns(&self) -> usize {
        self.turns
    }
}
