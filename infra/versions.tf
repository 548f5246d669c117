terraform {
  # What the tests run.
  required_version = ">= 1.11"

  required_providers {
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }

  # The state names every resource: it stands in a bucket, where it is locked and versioned. README.md says how
  # to make that bucket, once; then: terraform init -backend-config="bucket=PROJECT-tfstate"
  # Without these lines (or with `terraform init -backend=false` to look around) it stands in this folder.
  backend "gcs" {
    prefix = "tcdatalogger"
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # On everything that can have labels; `tcdatalogger tables apply` leaves alone what carries this one.
  default_labels = {
    app        = "tcdatalogger"
    managed-by = "terraform"
  }
}
