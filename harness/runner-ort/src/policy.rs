//! The policy: images encoded once, requests spread over lanes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use vrrl_harness_core::{Fault, Image, Policy, PolicyInfo, Reply, Request, View};

use crate::decode::{decode, Job, Track};
use crate::engine;
use crate::graph::Running;
use crate::layout::{self, Layout};
use crate::model::Model;
use crate::{Engine, Error};

/// Requests decoded together in one lane.
const SHARD: usize = 32;
/// Images encoded together in one lane.
const ENCODE: usize = 16;
/// Episodes held open.
const SLOTS: usize = 512;
/// Bytes of weights up to which each thread has sessions of its own. Small products gain nothing from being shared
/// by threads; large ones do, and large weights should be in memory once.
const OWN_SESSIONS: u64 = 64 << 20;

/// How a directory is run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// `auto`, `embedded` or the path of a library; see [`engine::open`].
    pub engine: String,
    /// Threads; all cores where absent. Changes no reply.
    pub threads: Option<usize>,
    /// `cpu` or `cuda`: the execution provider.
    pub device: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { engine: engine::AUTO.into(), threads: None, device: "cpu".into() }
    }
}

/// A directory of ONNX graphs as a policy.
pub struct OrtPolicy {
    layout: Layout,
    info: PolicyInfo,
    lanes: Vec<Mutex<Model>>,
    tracks: BTreeMap<u64, Track>,
}

impl OrtPolicy {
    /// Opens `DIR` or `DIR#VARIANT`.
    ///
    /// # Errors
    /// Whatever is wrong with the files, the engine or the graphs, by name and before anything is asked.
    pub fn open(word: &str, options: &Options) -> Result<Self, Error> {
        let layout = layout::read(word)?;
        let engine = engine::open(&options.engine)?;
        check_device(&engine, &options.device)?;
        let threads = options.threads.unwrap_or_else(cores).max(1);
        let own = options.device == "cpu" && (layout.bytes <= OWN_SESSIONS || engine.library.is_none());
        let lanes = if own { threads } else { 1 };
        let running = Running { threads: if own { 1 } else { threads }, device: options.device.clone() };
        let lanes = (0..lanes)
            .map(|_| Model::open(&layout, &engine, &running).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        let info = PolicyInfo {
            name: layout.name.clone(),
            backend: engine.backend.into(),
            engine: format!("{} {}", engine.name, options.device),
            fingerprint: layout.fingerprint.clone(),
        };
        Ok(Self { layout, info, lanes, tracks: BTreeMap::new() })
    }

    /// Runs every item on the lanes; results in order of the items.
    fn spread<I: Send, O: Send>(
        &self,
        items: Vec<I>,
        work: impl Fn(&mut Model, I) -> Result<O, Error> + Sync,
    ) -> Result<Vec<O>, Error> {
        let count = items.len();
        let queue = Mutex::new(items.into_iter().enumerate());
        let done = Mutex::new(Vec::with_capacity(count));
        std::thread::scope(|scope| {
            for lane in self.lanes.iter().take(count) {
                scope.spawn(|| {
                    let mut model = lock(lane);
                    loop {
                        let next = lock(&queue).next();
                        let Some((at, item)) = next else { return };
                        let result = work(&mut model, item);
                        lock(&done).push((at, result));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, result)| result).collect()
    }

    /// Encodes every distinct image of the requests once; returns, per request, the index of each image that its
    /// memory still lacks.
    fn encode(&self, requests: &[Request<'_>], tracks: &[Track]) -> Result<(Vec<Vec<f32>>, Wanted), Error> {
        let mut known: HashMap<(u32, &[u8]), usize> = HashMap::new();
        let mut distinct: Vec<&Image> = Vec::new();
        let mut wanted = Vec::with_capacity(requests.len());
        for (request, track) in requests.iter().zip(tracks) {
            let earlier = request.history.iter().skip(track.turns()).map(|turn| &turn.observation);
            let images = earlier.chain([request.observation]).map(|observation| {
                observation.image.as_deref().map(|image| {
                    *known.entry((image.width(), image.as_raw().as_slice())).or_insert_with(|| {
                        distinct.push(image);
                        distinct.len() - 1
                    })
                })
            });
            wanted.push(images.collect());
        }
        let chunks: Vec<&[&Image]> = distinct.chunks(ENCODE).collect();
        let encoded = self.spread(chunks, |model, images| {
            let pictures: Vec<Vec<f32>> =
                images.iter().map(|image| self.layout.pictures.numbers(image)).collect();
            if model.most == 1 {
                let one = |picture: &Vec<f32>| Ok(model.encode(std::slice::from_ref(picture))?.remove(0));
                return pictures.iter().map(one).collect();
            }
            model.encode(&pictures)
        })?;
        Ok((encoded.into_iter().flatten().collect(), wanted))
    }

    fn reply(&mut self, requests: &[Request<'_>]) -> Result<Vec<Result<Reply, Fault>>, Error> {
        let tracks: Vec<Track> =
            requests.iter().map(|r| self.tracks.remove(&r.episode).unwrap_or_default()).collect();
        let (encoded, wanted) = self.encode(requests, &tracks)?;
        let mut jobs: Vec<(usize, Job<'_>)> = requests
            .iter()
            .zip(tracks)
            .zip(wanted)
            .map(|((request, track), wanted)| {
                let images = wanted.into_iter().map(|w| w.map(|at| encoded[at].as_slice())).collect();
                Job { request: *request, track, images }
            })
            .enumerate()
            .collect();
        // Episodes of one length side by side: little padding.
        jobs.sort_by_key(|(at, job)| (job.track.len(), *at));
        let (order, mut jobs): (Vec<usize>, Vec<Job<'_>>) = jobs.into_iter().unzip();
        let most = self.lanes.first().map_or(SHARD, |lane| lock(lane).most).min(SHARD);
        let (tokenizer, positions) = (&self.layout.tokenizer, self.layout.positions);
        let replies = self.spread(jobs.chunks_mut(most).collect(), |model, jobs| {
            decode(model, tokenizer, positions, jobs)
        })?;
        for job in jobs {
            self.tracks.insert(job.request.episode, job.track);
        }
        let mut replies: Vec<_> = order.into_iter().zip(replies.into_iter().flatten()).collect();
        replies.sort_by_key(|(at, _)| *at);
        Ok(replies.into_iter().map(|(_, reply)| reply).collect())
    }
}

/// Per request, the images to append.
type Wanted = Vec<Vec<Option<usize>>>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn check_device(engine: &Engine, device: &str) -> Result<(), Error> {
    match device {
        "cpu" => Ok(()),
        "cuda" if engine.library.is_some() => Ok(()),
        "cuda" => Err(Error::Engine(
            "the embedded engine has no cuda; use --device cpu, or a library with it".into(),
        )),
        _ => Err(Error::Engine(format!("device `{device}` is unknown; there are cpu and cuda"))),
    }
}

impl Policy for OrtPolicy {
    fn info(&self) -> PolicyInfo {
        self.info.clone()
    }

    fn view(&self) -> View {
        if self.layout.pictures.small() {
            View::Canvas
        } else {
            View::Crisp
        }
    }

    fn slots(&self) -> usize {
        SLOTS
    }

    fn respond(&mut self, requests: &[Request<'_>]) -> Vec<Result<Reply, Fault>> {
        match self.reply(requests) {
            Ok(replies) => replies,
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
