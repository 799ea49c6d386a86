//! Episodes as packed token sequences.

use std::collections::HashMap;
use std::sync::Arc;

use vrrl_harness_core::{Finished, Image, Owner};
use vrrl_trainer_codec::{patches, Tokenizer};
use vrrl_trainer_model::{Batch, Config};

use crate::Error;

/// One turn of a sequence.
#[derive(Clone, Debug, Default)]
pub struct SequenceTurn {
    /// What is seen.
    pub image: Option<Arc<Image>>,
    /// The reply's tokens.
    pub ids: Vec<u32>,
    /// Who wrote each; only [`Owner::Policy`] is trained on.
    pub owners: Vec<Owner>,
    /// Log-probability of each when it was sampled; empty for demonstrations.
    pub log_probs: Vec<f32>,
    /// Signs on the picture that the image token over them is to name: their place as shares of its width and height,
    /// and their token. Empty but for demonstrations that are read.
    pub signs: Vec<([f64; 2], u32)>,
}

impl SequenceTurn {
    fn trained(&self) -> usize {
        self.owners.iter().filter(|o| **o == Owner::Policy).count() + self.signs.len()
    }
}

/// One episode as the learner sees it.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    /// Behind every turn's picture: the question and the marker, see [`Tokenizer::prompt`].
    pub prompt: Vec<u32>,
    /// Its turns.
    pub turns: Vec<SequenceTurn>,
}

/// Where a trained token stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenRef {
    /// Sequence within the batch.
    pub sequence: usize,
    /// Turn within the sequence.
    pub turn: usize,
    /// Token within the reply; for a sign on the picture its number among them.
    pub token: usize,
}

impl Sequence {
    /// From a finished rollout.
    ///
    /// # Errors
    /// If a reply without tokens has a word outside the vocabulary.
    pub fn of(finished: &Finished<'_>, tokenizer: &Tokenizer) -> Result<Self, Error> {
        let turn = |turn: &vrrl_harness_core::Turn| {
            let (ids, owners, log_probs) = match &turn.reply.tokens {
                Some(record) => (record.ids.clone(), record.owners.clone(), record.log_probs.clone()),
                None => {
                    let ids = tokenizer.encode(&turn.reply.text)?;
                    (ids.clone(), vec![Owner::Stub; ids.len()], Vec::new())
                }
            };
            Ok(SequenceTurn {
                image: turn.observation.image.clone(),
                ids,
                owners,
                log_probs,
                signs: Vec::new(),
            })
        };
        let prompt = tokenizer.prompt(&finished.example.problem.question());
        Ok(Self { prompt, turns: finished.turns.iter().map(turn).collect::<Result<_, Error>>()? })
    }

    /// Tokens in all, images and markers included.
    #[must_use]
    pub fn len(&self, image_tokens: usize) -> usize {
        let image = |t: &SequenceTurn| if t.image.is_some() { image_tokens } else { 0 };
        self.turns.iter().map(|t| image(t) + self.prompt.len() + t.ids.len()).sum()
    }

    /// Tokens that are trained on, signs on pictures among them.
    #[must_use]
    pub fn trained(&self) -> usize {
        self.turns.iter().map(SequenceTurn::trained).sum()
    }
}

/// Packs `sequences`, numbered from `first`, into one batch; images that recur are stored once. The refs say
/// which token each predicted position is. A sequence is cut after the last turn with a trained token.
#[must_use]
pub fn pack(sequences: &[Sequence], first: usize, config: &Config) -> (Batch, Vec<TokenRef>) {
    let mut batch = Batch::default();
    let mut refs = Vec::new();
    let mut sign_refs = Vec::new();
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    for (s, sequence) in sequences.iter().enumerate() {
        let start = batch.gather.len();
        let last = sequence.turns.iter().rposition(|t| t.trained() > 0);
        for (t, turn) in sequence.turns.iter().enumerate().take(last.map_or(0, |at| at + 1)) {
            let mut slot = 0u32;
            let mut push = |batch: &mut Batch, row: u32| {
                batch.gather.push(row);
                batch.turns.push(t as u32);
                batch.slots.push(slot);
                slot += 1;
            };
            if let Some(image) = &turn.image {
                let next = known.len() as u32;
                let index = *known.entry(image.as_raw().as_slice()).or_insert_with(|| {
                    batch.patches.extend(patches(image, config.side, config.patch, config.paper));
                    next
                });
                let count = config.image_tokens() as u32;
                let side = f64::from(count).sqrt();
                for (k, &([x, y], id)) in turn.signs.iter().enumerate() {
                    let [column, row] = [x, y].map(|share| (share * side).clamp(0.0, side - 1.0) as u32);
                    let token = row * side as u32 + column;
                    batch.signs.push((config.vocab as u32 + index * count + token, id));
                    sign_refs.push(TokenRef { sequence: first + s, turn: t, token: k });
                }
                for k in 0..count {
                    push(&mut batch, config.vocab as u32 + index * count + k);
                }
            }
            for &id in &sequence.prompt {
                push(&mut batch, id);
            }
            for (k, (&id, owner)) in turn.ids.iter().zip(&turn.owners).enumerate() {
                if *owner == Owner::Policy {
                    batch.predict.push(batch.gather.len() as u32 - 1);
                    batch.targets.push(id);
                    refs.push(TokenRef { sequence: first + s, turn: t, token: k });
                }
                push(&mut batch, id);
            }
        }
        if batch.gather.len() > start {
            batch.spans.push((start, batch.gather.len()));
        }
    }
    refs.append(&mut sign_refs);
    (batch, refs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_follows_the_owners_and_shares_images() {
        let tokenizer = Tokenizer::default();
        let config = Config::small(tokenizer.len());
        let image = Arc::new(Image::new(64, 64));
        let copy = Arc::new(Image::new(64, 64));
        let turn = |image: &Arc<Image>, text: &str, owner| {
            let ids = tokenizer.encode(text).unwrap();
            SequenceTurn {
                image: Some(image.clone()),
                owners: vec![owner; ids.len()],
                ids,
                log_probs: vec![],
                signs: vec![],
            }
        };
        let sequence = Sequence {
            prompt: tokenizer.prompt(""),
            turns: vec![
                turn(&image, "<ANSWER>up</ANSWER>", Owner::Stub),
                turn(&copy, "<ANSWER>left up</ANSWER>", Owner::Policy),
                turn(&copy, "<FINAL/>", Owner::Environment),
            ],
        };
        let (batch, refs) = pack(std::slice::from_ref(&sequence), 7, &config);
        assert_eq!(batch.patches.len(), config.image_len(), "equal pictures are stored once");
        assert_eq!(refs.len(), 4);
        assert_eq!(refs[0], TokenRef { sequence: 7, turn: 1, token: 0 });
        assert_eq!(batch.spans, [(0, 17 + 3 + 17 + 4)], "cut after the last trained turn");
        let marker = batch.predict[0] as usize;
        assert_eq!(batch.gather[marker], tokenizer.assistant());
        assert_eq!((batch.turns[marker], batch.slots[marker]), (1, 16));
        assert_eq!(tokenizer.decode(&batch.targets), "<ANSWER>left up</ANSWER>");
        assert_eq!(sequence.trained(), 4);
        assert_eq!(sequence.len(16), 17 * 3 + 3 + 4 + 1);
    }
}
