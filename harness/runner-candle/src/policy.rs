//! The policy: images encoded once, requests spread over shards.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rayon::prelude::*;
use vrrl_harness_core::{Fault, Image, Policy, PolicyInfo, Reply, Request, View};
use vrrl_trainer_codec::{patches, Tokenizer};
use vrrl_trainer_model::{Encoded, Error as ModelError, Network, Products};

use crate::checkpoint::{device, load, products, Checkpoint, Error};
use crate::decode::{decode, group, Group, Job, Track};

/// Most and fewest groups of requests decoded together on one thread: many share the work of reading the weights, few
/// keep all threads busy.
const SHARD: [usize; 2] = [8, 64];
/// Images encoded together on one thread.
const ENCODE: usize = 16;
/// Episodes held open.
const SLOTS: usize = 512;

/// A candle checkpoint as a policy.
pub struct CandlePolicy {
    network: Network,
    tokenizer: Tokenizer,
    name: String,
    fingerprint: String,
    tracks: BTreeMap<u64, Track>,
}

impl CandlePolicy {
    /// Loads a checkpoint directory onto a device (see [`crate::DEVICES`]).
    ///
    /// # Errors
    /// As [`load`] and [`device`].
    pub fn load(dir: &Path, device_name: &str) -> Result<Self, Error> {
        let Checkpoint { network, tokenizer, fingerprint } = load(dir, &device(device_name)?)?;
        let name = dir.file_name().map_or_else(|| "checkpoint".into(), |n| n.to_string_lossy().into_owned());
        let network = network.with_products(products(device_name));
        Ok(Self { network, tokenizer, name, fingerprint, tracks: BTreeMap::new() })
    }

    /// A network in training: its weights are shared, so the policy follows every step.
    #[must_use]
    pub fn of(network: &Network, tokenizer: &Tokenizer) -> Self {
        Self {
            network: network.clone(),
            tokenizer: tokenizer.clone(),
            name: "training".into(),
            fingerprint: String::new(),
            tracks: BTreeMap::new(),
        }
    }

    /// Encodes every distinct image of the requests once; returns, per request, the index of each image that
    /// its memory still lacks.
    fn encode(
        &self,
        requests: &[Request<'_>],
        tracks: &[Track],
    ) -> Result<(Vec<Encoded>, Wanted), ModelError> {
        let config = self.network.config();
        let mut known: HashMap<&[u8], usize> = HashMap::new();
        let mut distinct: Vec<&Image> = Vec::new();
        // Rollouts of one question stand side by side: comparing with the neighbour's is cheaper than hashing.
        let mut newest: Option<usize> = None;
        let mut wanted = Vec::with_capacity(requests.len());
        for (request, track) in requests.iter().zip(tracks) {
            let earlier = request.history.iter().skip(track.turns()).map(|turn| &turn.observation);
            let images = earlier.chain([request.observation]).map(|observation| {
                observation.image.as_deref().map(|image| {
                    let same = newest.filter(|at| distinct[*at].as_raw() == image.as_raw());
                    let at = same.unwrap_or_else(|| {
                        *known.entry(image.as_raw().as_slice()).or_insert_with(|| {
                            distinct.push(image);
                            distinct.len() - 1
                        })
                    });
                    newest = Some(at);
                    at
                })
            });
            wanted.push(images.collect());
        }
        let encoded = distinct
            .par_chunks(ENCODE)
            .map(|images| {
                let mut pixels = Vec::with_capacity(images.len() * config.image_len());
                for image in images {
                    pixels.extend_from_slice(&patches(image, config.side, config.patch, config.paper));
                }
                self.network.encode(&pixels)
            })
            .collect::<Result<_, _>>()?;
        Ok((encoded, wanted))
    }

    fn reply(&mut self, requests: &[Request<'_>]) -> Result<Vec<Reply>, ModelError> {
        let tracks: Vec<Track> =
            requests.iter().map(|r| self.tracks.remove(&r.episode).unwrap_or_default()).collect();
        let (encoded, wanted) = self.encode(requests, &tracks)?;
        let jobs = requests
            .iter()
            .zip(tracks)
            .zip(wanted)
            .map(|((request, track), images)| Job { request: *request, track, images })
            .collect();
        let mut groups = group(&self.tokenizer, jobs)?;
        // Twice as many shards as threads, as some are done sooner. The shards change no bit.
        let size = groups.len().div_ceil(2 * rayon::current_num_threads()).clamp(SHARD[0], SHARD[1]);
        let mut shards: Vec<Vec<Group<'_>>> = Vec::new();
        while !groups.is_empty() {
            let rest = groups.split_off(size.min(groups.len()));
            shards.push(std::mem::replace(&mut groups, rest));
        }
        let image = |at: usize| encoded[at / ENCODE].image(at % ENCODE);
        let answers = shards
            .into_par_iter()
            .map(|groups| decode(&self.network, &self.tokenizer, groups, &image))
            .collect::<Result<Vec<_>, _>>()?;
        let mut replies: Vec<Option<Reply>> = requests.iter().map(|_| None).collect();
        for (at, reply, track) in answers.into_iter().flatten() {
            replies[at] = Some(reply);
            self.tracks.insert(requests[at].episode, track);
        }
        Ok(replies.into_iter().flatten().collect())
    }
}

/// Per request, the images to append.
type Wanted = Vec<Vec<Option<usize>>>;

impl Policy for CandlePolicy {
    fn info(&self) -> PolicyInfo {
        let place = match (self.network.params().device().is_cpu(), self.network.products()) {
            (true, _) => "cpu",
            (false, Products::Float) => "cuda",
            (false, Products::Bf16) => "cuda-bf16",
        };
        PolicyInfo {
            name: self.name.clone(),
            backend: "candle".into(),
            engine: format!("candle 0.11.1 {place}"),
            fingerprint: self.fingerprint.clone(),
        }
    }

    fn view(&self) -> View {
        View::Canvas
    }

    fn slots(&self) -> usize {
        SLOTS
    }

    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        match self.reply(requests) {
            Ok(replies) => replies.into_iter().map(Ok).collect(),
            Err(error) => {
                let fault = Fault { kind: "engine".into(), detail: error.to_string() };
                requests.iter().map(|_| Err(fault.clone())).collect()
            }
        }
    }

    fn release(&mut self, episode: u64) {
        self.tracks.remove(&episode);
    }
}
