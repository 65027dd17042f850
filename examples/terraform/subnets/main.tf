# Divides an address block into one subnet per zone and keeps the result in the state. It needs no
# provider: terraform_data is built into Terraform and OpenTofu, so it runs without an account.

variable "name" {
  type        = string
  description = "Name of the network, and prefix of the subnets."
}

variable "block" {
  type        = string
  description = "The address block to divide, such as 10.20.0.0/16."

  validation {
    condition     = can(cidrhost(var.block, 0))
    error_message = "The block must be an address with a prefix, such as 10.20.0.0/16."
  }
}

variable "zones" {
  type        = number
  description = "Number of subnets, one per zone."
}

locals {
  zones = ["a", "b", "c", "d"]
  # Two bits make four equal parts; the parts of unused zones stay free.
  subnets = { for n in range(var.zones) : "${var.name}-${local.zones[n]}" => cidrsubnet(var.block, 2, n) }
}

resource "terraform_data" "subnet" {
  for_each = local.subnets
  input    = { name = each.key, block = each.value }
}

output "subnets" {
  description = "Block of each subnet by its name."
  value       = { for name, subnet in terraform_data.subnet : name => subnet.output.block }
}

output "first" {
  description = "Name of the first subnet."
  value       = "${var.name}-a"
}
