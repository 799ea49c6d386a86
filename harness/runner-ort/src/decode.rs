//! Lock-step decoding of a few requests.

use vrrl_harness_core::{Constraint, Fault, Owner, Reply, Request, Rng, TokenRecord};
use vrrl_trainer_codec::{log_prob, sample, Tokenizer};

use crate::batch::{Batch, Memory, New};
use crate::layout::Positions;
use crate::model::Model;
use crate::Error;

/// What is remembered of one open episode.
#[derive(Default)]
pub(crate) struct Track {
    memory: Memory,
    /// Turns whose tokens are in the memory, the last reply's final token excepted.
    turns: usize,
    /// That final token, not yet in the memory, with its position.
    pending: Option<(u32, i64)>,
}

impl Track {
    /// Turns already in memory.
    pub fn turns(&self) -> usize {
        self.turns
    }

    /// Tokens already in memory.
    pub fn len(&self) -> usize {
        self.memory.len
    }
}

/// One request with its episode's memory and its images' tokens.
pub(crate) struct Job<'a> {
    pub request: Request<'a>,
    pub track: Track,
    /// Tokens of every image from turn `track.turns()` on, the newest last; `None` where nothing was drawn.
    pub images: Vec<Option<&'a [f32]>>,
}

/// A reply being written.
struct Draft {
    ids: Vec<u32>,
    log_probs: Vec<f32>,
    rng: Rng,
    turn: usize,
    /// Slot of the next token within its turn, and its place in the episode.
    slot: usize,
    place: usize,
    prompt_tokens: u64,
    open: bool,
    fault: Option<Fault>,
}

impl Draft {
    fn position(&self, positions: Positions) -> i64 {
        number(positions, self.turn, self.slot, self.place)
    }

    fn full(&self, positions: Positions) -> bool {
        match positions {
            Positions::Turns(slots) => self.slot >= slots,
            Positions::Through(most) => most.is_some_and(|most| self.place >= most),
        }
    }

    fn fail(&mut self, kind: &str, detail: String) {
        self.open = false;
        self.fault = Some(Fault { kind: kind.into(), detail });
    }
}

fn number(positions: Positions, turn: usize, slot: usize, place: usize) -> i64 {
    match positions {
        Positions::Turns(slots) => (turn * slots + slot) as i64,
        Positions::Through(_) => place as i64,
    }
}

/// Decodes a reply for every job and updates the tracks; a job whose reply cannot be had gets a fault.
pub(crate) fn decode(
    model: &mut Model,
    tokenizer: &Tokenizer,
    positions: Positions,
    jobs: &mut [Job<'_>],
) -> Result<Vec<Result<Reply, Fault>>, Error> {
    let (mut drafts, mut new) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
    for job in jobs.iter_mut() {
        let (draft, tokens) = prompt(model, tokenizer, positions, job)?;
        drafts.push(draft);
        new.push(tokens);
    }
    // Rows of the batch, as indices of jobs.
    let mut rows: Vec<usize> = (0..jobs.len()).filter(|&i| drafts[i].open).collect();
    let mut new: Vec<New> =
        new.into_iter().zip(&drafts).filter(|(_, draft)| draft.open).map(|(n, _)| n).collect();
    let take = |jobs: &mut [Job<'_>], rows: &[usize]| -> Vec<Memory> {
        rows.iter().map(|&i| std::mem::take(&mut jobs[i].track.memory)).collect()
    };
    let mut batch = Batch::gather(model, take(jobs, &rows))?;
    while !rows.is_empty() {
        let logits = batch.step(model, &new)?;
        for (&i, row) in rows.iter().zip(&logits) {
            if drafts[i].open {
                advance(&mut drafts[i], &jobs[i].request, row, tokenizer, positions);
            }
        }
        let open = rows.iter().filter(|&&i| drafts[i].open).count();
        // Rows that are done cost as much as the others; when they are half, they go.
        if 2 * open <= batch.len() {
            for (&i, memory) in rows.iter().zip(batch.scatter(model)?) {
                jobs[i].track.memory = memory;
            }
            rows.retain(|&i| drafts[i].open);
            batch = Batch::gather(model, take(jobs, &rows))?;
        }
        new.clear();
        for &i in &rows {
            let mut tokens = New::default();
            let draft = &drafts[i];
            if let (true, Some(&last)) = (draft.open, draft.ids.last()) {
                model.embed(&[last], &mut tokens.embeds)?;
                tokens.positions.push(number(positions, draft.turn, draft.slot - 1, draft.place - 1));
            }
            new.push(tokens);
        }
    }
    Ok(drafts
        .into_iter()
        .zip(jobs.iter_mut())
        .map(|(draft, job)| finish(tokenizer, positions, draft, job))
        .collect())
}

/// Everything that the episode's memory lacks: the last reply's final token, whole turns of a prefix that this
/// policy never decoded, the newest picture and the marker.
fn prompt(
    model: &mut Model,
    tokenizer: &Tokenizer,
    positions: Positions,
    job: &mut Job<'_>,
) -> Result<(Draft, New), Error> {
    let mut new = New::default();
    let mut place = job.track.memory.len;
    if let Some((id, position)) = job.track.pending.take() {
        model.embed(&[id], &mut new.embeds)?;
        new.positions.push(position);
        place += 1;
    }
    let turn = job.request.history.len();
    let mut draft = Draft {
        ids: Vec::new(),
        log_probs: Vec::new(),
        rng: job.request.seed.rng(),
        turn,
        slot: 0,
        place,
        prompt_tokens: 0,
        open: true,
        fault: None,
    };
    let question = tokenizer.prompt(&job.request.example.problem.question());
    for (t, image) in (job.track.turns..=turn).zip(&job.images) {
        let mut slot = 0;
        if let Some(tokens) = image {
            new.embeds.extend_from_slice(tokens);
            slot += tokens.len() / model.width;
        }
        let mut ids = question.clone();
        if let Some(turn) = job.request.history.get(t) {
            match &turn.reply.tokens {
                Some(tokens) => ids.extend(&tokens.ids),
                None => match tokenizer.encode(&turn.reply.text) {
                    Ok(more) => ids.extend(more),
                    Err(error) => draft.fail("vocabulary", error.to_string()),
                },
            }
        }
        model.embed(&ids, &mut new.embeds)?;
        slot += ids.len();
        new.positions.extend((0..slot).map(|s| number(positions, t, s, draft.place + s)));
        draft.place += slot;
        draft.slot = slot;
        if draft.full(positions) {
            draft.fail(
                "context_overflow",
                format!("turn {} of {slot} tokens leaves no room for a reply", t + 1),
            );
        }
    }
    draft.prompt_tokens = draft.place as u64;
    Ok((draft, new))
}

/// Draws the next token of one draft.
fn advance(
    draft: &mut Draft,
    request: &Request<'_>,
    row: &[f32],
    tokenizer: &Tokenizer,
    positions: Positions,
) {
    if let Some(x) = row.iter().find(|x| !x.is_finite()) {
        return draft.fail("not_finite", format!("the graph's logits hold {x}; the model is broken"));
    }
    let id = match request.constraint {
        Constraint::MustRevise if draft.ids.is_empty() => tokenizer.revision(request.dialect),
        Constraint::Free | Constraint::MustRevise => {
            sample(row, request.sampling.temperature, &mut draft.rng)
        }
    };
    draft.ids.push(id);
    draft.log_probs.push(log_prob(row, id));
    draft.slot += 1;
    draft.place += 1;
    let full = draft.ids.len() >= request.sampling.max_tokens || draft.full(positions);
    draft.open = !tokenizer.stops(id) && !full;
}

fn finish(
    tokenizer: &Tokenizer,
    positions: Positions,
    draft: Draft,
    job: &mut Job<'_>,
) -> Result<Reply, Fault> {
    if let Some(fault) = draft.fault {
        job.track = Track::default();
        return Err(fault);
    }
    let last = draft.ids.last().copied();
    job.track.turns = draft.turn + 1;
    let before = Draft { slot: draft.slot - 1, place: draft.place - 1, ..draft };
    job.track.pending = last.map(|id| (id, before.position(positions)));
    let mut owners = vec![Owner::Policy; before.ids.len()];
    if job.request.constraint == Constraint::MustRevise {
        // The method chose this token.
        owners[0] = Owner::Trigger;
    }
    Ok(Reply {
        text: tokenizer.decode(&before.ids),
        prompt_tokens: before.prompt_tokens,
        completion_tokens: before.ids.len() as u64,
        cut: !last.is_some_and(|id| tokenizer.stops(id)),
        tokens: Some(TokenRecord { ids: before.ids, owners, log_probs: before.log_probs }),
        ..Reply::default()
    })
}
