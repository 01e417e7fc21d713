"""Write the dashboards: ``python -m deploy.grafana.source``; ``make grafana`` runs it."""

from deploy.grafana.source.files import write

if __name__ == "__main__":
    write()
