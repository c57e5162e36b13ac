"""The first tables."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Films, clips and news."""

    initial = True
    operations = (
        migrations.CreateModel(
            name="Film",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
            ],
            options={"db_table": "film"},
        ),
        migrations.CreateModel(
            name="Clip",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("start_time", models.FloatField()),
                ("end_time", models.FloatField()),
                ("film", models.ForeignKey("films.Film", models.CASCADE, related_name="clips")),
            ],
            options={"db_table": "clip", "ordering": ("start_time", "id")},
        ),
        migrations.CreateModel(
            name="News",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                ("film", models.ForeignKey("films.Film", models.CASCADE, related_name="news")),
            ],
            options={"db_table": "news", "ordering": ("id",)},
        ),
    )
