//! The learning machinery: rollouts, advantages, losses, optimizer, buffers, checkpoints; the VRRL recipe.
