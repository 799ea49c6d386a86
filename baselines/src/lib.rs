//! Every other method as a recipe on the trainer's machinery.
