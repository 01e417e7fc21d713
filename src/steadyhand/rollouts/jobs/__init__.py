"""Jobs of the release control loop: processes of this machine, or Jobs of a Kubernetes cluster."""
