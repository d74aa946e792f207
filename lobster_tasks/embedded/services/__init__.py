"""What the embedded AWS answers differently from moto: one response class per AWS service."""
