"""Films, their clips, and the news that a film is ready."""

from __future__ import annotations

from django.db import models


class Film(models.Model):
    """A media that the service has processed, under its id."""

    id = models.TextField(primary_key=True)
    name = models.TextField()

    class Meta:
        """The table's name, which the handler writes to."""

        db_table = "film"

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class Clip(models.Model):
    """A part of a film, under its id at the service; times are seconds of the film."""

    id = models.TextField(primary_key=True)
    film = models.ForeignKey(Film, models.CASCADE, related_name="clips")
    name = models.TextField()
    start_time = models.FloatField()
    end_time = models.FloatField()

    class Meta:
        """The table's name, and the order in the film."""

        db_table = "clip"
        ordering = ("start_time", "id")

    def __str__(self) -> str:
        return f"{self.name} ({self.start_time} to {self.end_time} s)"


class News(models.Model):
    """A line for the readers. No key prevents a second one: each event must be handled exactly once."""

    film = models.ForeignKey(Film, models.CASCADE, related_name="news")
    text = models.TextField()

    class Meta:
        """The table's name."""

        db_table = "news"
        ordering = ("id",)

    def __str__(self) -> str:
        return str(self.text)
