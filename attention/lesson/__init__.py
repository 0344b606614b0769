"""The points of the lesson, each measured on a real model."""
